#!/bin/sh
# Prints the manifest with which krew installs vas as `kubectl vas`, for the programs that a release publishes:
#
#     image/krew.sh 0.1.0 dist https://HOST/OWNER/REPOSITORY
set -eu

usage='usage: image/krew.sh VERSION FOLDER URL-OF-THE-REPOSITORY'
version=${1:?$usage}
folder=${2:?$usage}
source=${3:?$usage}

cat <<END
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: vas
spec:
  version: v$version
  homepage: $source
  shortDescription: Explain, check and suspend autoscaling by VoiceAssistScaling
  description: |
    vas says why a workload did or did not scale, finds what is wrong with an installation, writes the first
    VoiceAssistScaling for a Deployment, and suspends scaling. The operator and the metrics server are not part of it.
  platforms:
END
for arch in amd64 arm64; do
    file=vas-linux-$arch.tar.gz
    [ -f "$folder/$file" ] || { echo "krew.sh: $folder has no $file, which a release publishes" >&2; exit 1; }
    cat <<END
  - selector: {matchLabels: {os: linux, arch: $arch}}
    uri: $source/releases/download/v$version/$file
    sha256: $(sha256sum "$folder/$file" | cut -d' ' -f1)
    bin: vas
END
done
