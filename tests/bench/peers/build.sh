#!/bin/sh
# Builds the adapters that `make bench` compares with, from the Go module proxy:
#
#     tests/bench/peers/build.sh prometheus-adapter keda
#
# The binaries go to target/bench/bin. A first build takes minutes, KEDA's up to half an hour, so it says how far it is.
# PEERS_FLAGS adds to `go build`, such as -p=1 on a machine that others use too.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
bin=$(dirname -- "$(dirname -- "$(dirname -- "$here")")")/target/bench/bin

# Never let Go fetch another toolchain: that may hang where there is no network.
GOTOOLCHAIN=local GOFLAGS='' GOWORK=off CGO_ENABLED=0
export GOTOOLCHAIN GOFLAGS GOWORK CGO_ENABLED

fail() {
    echo "bench: $1" >&2
    exit 3
}

command -v go >/dev/null 2>&1 || fail "Go was not found on PATH: it builds the adapters to compare with; see https://go.dev/doc/install"

# One program: module folder, name of the binary, package.
build() {
    key=$(cat "$here/$1/go.mod" "$here/$1/go.sum" | cksum)
    if [ -x "$bin/$2" ] && [ "$(cat "$bin/.$2.built" 2>/dev/null)" = "$key" ]; then
        return 0
    fi
    mkdir -p "$bin"
    cd "$here/$1"
    echo "bench: building $2: downloading modules" >&2
    total=$(go list -deps "$3" | wc -l)
    fresh=$bin/.$2.$$
    trap 'rm -f "$fresh" "$fresh.log"' EXIT
    trap 'exit 130' INT TERM
    # In the background so that the loop can report; Ctrl-C reaches both.
    # shellcheck disable=SC2086 # flags are words
    go build -v ${PEERS_FLAGS:-} -trimpath -buildvcs=false -ldflags='-s -w' -o "$fresh" "$3" 2>"$fresh.log" &
    compiler=$!
    waited=0
    while kill -0 "$compiler" 2>/dev/null; do
        sleep 1
        waited=$((waited + 1))
        [ $((waited % 10)) -ne 0 ] || echo "bench: $2 ... $(wc -l <"$fresh.log")/$total packages (${waited}s)" >&2
    done
    if ! wait "$compiler"; then
        grep '[ #]' "$fresh.log" | tail -n 20 >&2 || true
        fail "$2 could not be built"
    fi
    mv -f "$fresh" "$bin/$2"
    rm -f "$fresh.log"
    printf %s "$key" >"$bin/.$2.built"
    echo "bench: $2 built in ${waited}s" >&2
}

# The CRDs of the KEDA that was built, for the cluster.
definitions() {
    sources=$(cd "$here/keda" && go list -m -f '{{.Dir}}' github.com/kedacore/keda/v2)
    rm -rf "$bin/../keda"
    mkdir -p "$bin/../keda"
    cp "$sources"/config/crd/bases/*.yaml "$bin/../keda/"
    chmod u+w "$bin"/../keda/*
}

for peer in "$@"; do
    case $peer in
    prometheus-adapter) build "$peer" prometheus-adapter sigs.k8s.io/prometheus-adapter/cmd/adapter ;;
    keda)
        build "$peer" keda-adapter github.com/kedacore/keda/v2/cmd/adapter
        build "$peer" keda-operator github.com/kedacore/keda/v2/cmd/operator
        definitions
        ;;
    *) fail "no such peer: $peer (prometheus-adapter, keda)" ;;
    esac
done
