#!/bin/sh
# Makes the manifests and the chart of this checkout run one very image, as a release does:
#
#     image/pin.sh ghcr.io/voiceassist/vas sha256:...
set -eu

repository=${1:?usage: image/pin.sh REPOSITORY sha256:DIGEST}
digest=${2:?usage: image/pin.sh REPOSITORY sha256:DIGEST}
cd -- "$(dirname -- "$0")/.."

# One line of a file, which must be there.
replace() {
    grep -q "$2" "$1" || { echo "pin.sh: $1 has no line $2" >&2 && exit 1; }
    sed -i "s|$2|$3|" "$1"
}
replace manifests/image/kustomization.yaml '^  newTag: .*$' "  newName: $repository\n  digest: $digest"
replace charts/vas/values.yaml '^  repository: voiceassist/vas$' "  repository: $repository"
replace charts/vas/values.yaml '^  digest: ""' "  digest: $digest"
