#!/bin/sh
# Builds load generators that `make bench-load` compares with, into target/bench/bin:
#
#     tests/bench/generators/build.sh vegeta oha k6
#
# oha comes from the Rust crate registry, vegeta and k6 from the Go module proxy. wrk and hey are in Debian's archive.
# A generator that cannot be built is left out of the comparison, which says so; the others are built nevertheless.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
target=$(dirname -- "$(dirname -- "$(dirname -- "$here")")")/target/bench
bin=$target/bin
mkdir -p "$bin"

# Never let Go fetch another toolchain: that may hang where there is no network.
GOTOOLCHAIN=local GOFLAGS='' GOWORK=off CGO_ENABLED=0 GOBIN=$bin
export GOTOOLCHAIN GOFLAGS GOWORK CGO_ENABLED GOBIN

# One generator: its name, its version, what builds it, the command.
build() {
    name=$1 version=$2 builder=$3
    shift 3
    if [ -x "$bin/$name" ] && [ "$(cat "$bin/.$name.built" 2>/dev/null)" = "$version" ]; then
        return 0
    fi
    if ! command -v "$builder" >/dev/null 2>&1; then
        echo "bench: $builder was not found on PATH: it builds $name" >&2
        return 3
    fi
    echo "bench: building $name $version (takes minutes)" >&2
    if ! "$@" >"$bin/.$name.log" 2>&1; then
        tail -n 20 "$bin/.$name.log" >&2
        echo "bench: $name could not be built" >&2
        return 3
    fi
    rm -f "$bin/.$name.log"
    printf %s "$version" >"$bin/.$name.built"
}

missing=0
for generator in "$@"; do
    case $generator in
    oha) build oha 1.16.0 cargo cargo install --locked --quiet --root "$target" \
        --target-dir "$target/oha" --version 1.16.0 oha || missing=3 ;;
    vegeta) build vegeta 12.13.0 go go install -trimpath github.com/tsenart/vegeta/v12@v12.13.0 || missing=3 ;;
    k6) build k6 1.8.1 go go install -trimpath go.k6.io/k6@v1.8.1 || missing=3 ;;
    *)
        echo "bench: no such generator: $generator (oha, vegeta, k6)" >&2
        exit 2
        ;;
    esac
done
exit "$missing"
