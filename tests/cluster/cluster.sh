#!/bin/sh
# Builds the launcher of the test cluster if its sources changed, then runs it:
#
#     tests/cluster/cluster.sh up --dir DIR --detach
#
# It exists because the launcher is written in Go: somebody who has no Go, or
# one that is too old, must get a sentence they can act on.
set -eu

needed=26 # the 26 of Go 1.26, which Kubernetes' own go.mod asks for

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
bin=$(dirname -- "$(dirname -- "$here")")/target/cluster/bin

fail() {
    echo "cluster: $1" >&2
    echo "cluster: the local Kubernetes is built from source and needs Go 1.$needed or newer;" >&2
    echo "cluster: see https://go.dev/doc/install, or your distribution's golang package" >&2
    exit 3
}

# Never let Go fetch another toolchain: that may hang where there is no network.
GOTOOLCHAIN=local
VAS_CLUSTER_SOURCE=$here
export GOTOOLCHAIN VAS_CLUSTER_SOURCE

command -v go >/dev/null 2>&1 || fail "Go was not found on PATH"
version=$(go env GOVERSION)
minor=$(printf '%s\n' "$version" | sed -n 's/^go1\.\([0-9][0-9]*\).*/\1/p')
[ -n "$minor" ] || fail "'go env GOVERSION' says '$version', which is not a Go release"
[ "$minor" -ge "$needed" ] || fail "Go is $version, which is too old"

stale() {
    [ -x "$bin/cluster" ] || return 0
    [ -n "$(find "$here/launcher" -type f -newer "$bin/cluster" -print | head -n 1)" ]
}

if stale; then
    mkdir -p "$bin"
    # Built beside its place and renamed, so that two runs at once cannot
    # execute a half-written file.
    fresh=$bin/.cluster.$$
    (cd "$here" && GOFLAGS='' GOWORK=off CGO_ENABLED=0 go build -buildvcs=false -trimpath -o "$fresh" ./launcher)
    mv -f "$fresh" "$bin/cluster"
fi

exec "$bin/cluster" "$@"
