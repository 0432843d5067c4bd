#!/bin/sh
# Moves the test cluster to another release of Kubernetes:
#
#     tests/cluster/set-kubernetes-version.sh v1.37.2
#
# go.mod is the one place with the version. Kubernetes' own go.mod points its
# staging modules (k8s.io/api, ...) at folders of its repository, which a
# dependency does not have; every module that uses it has to say again where
# they are, and that is what the replace lines are.
set -eu

version=${1:?usage: set-kubernetes-version.sh v1.MINOR.PATCH}
case $version in
v1.*.*) staging=v0.${version#v1.} ;;
*) echo "not a release: $version" >&2 && exit 2 ;;
esac
cd -- "$(dirname -- "$0")"
export GOTOOLCHAIN=local GOFLAGS='' GOWORK=off

upstream=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
[ -n "$upstream" ] || { echo "no module k8s.io/kubernetes@$version" >&2 && exit 1; }
modules=$(sed -n 's#^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging/.*#\1#p' "$upstream")
cp go.mod go.mod.before
{
    # `go mod tidy` finds the versions of everything else again.
    printf 'module %s\n\ngo %s\n\nrequire k8s.io/kubernetes %s\n\nreplace (\n' \
        "$(sed -n 's/^module //p' go.mod)" "$(sed -n 's/^go //p' "$upstream")" "$version"
    for module in $modules; do
        printf '\t%s => %s %s\n' "$module" "$module" "$staging"
    done
    printf ')\n'
} >go.mod.new
mv go.mod.new go.mod
go mod tidy || { mv go.mod.before go.mod && exit 1; }
rm go.mod.before
echo "go.mod is at Kubernetes $version; 'tests/cluster/cluster.sh build' builds it"
