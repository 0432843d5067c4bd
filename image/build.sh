#!/usr/bin/env bash
# build.sh ARCH [PACKAGE PROGRAM...]: builds the program of the image for amd64 or arm64, and prints where it lies. Another
# package's programs are built in the same way, also of another workspace: IMAGE_WORKSPACE is its folder.
#
# A static program (its C library is linked in), so that an image needs nothing else; the same C library as the host
# build, whose figures docs/benchmarks.md has. Paths of this machine are left out, so that the same sources make the
# same bytes anywhere. IMAGE_TARGET=x86_64-unknown-linux-musl takes musl instead, where rustup has that target.
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
*) echo "usage: image/build.sh amd64|arm64 [PACKAGE PROGRAM...]" >&2; exit 2 ;;
esac
package=${2:-vas} programs=("${@:3}")
[ ${#programs[@]} != 0 ] || programs=(vas)
target=${IMAGE_TARGET:-$machine-unknown-linux-gnu}
if [ "$machine" != "$(uname -m)" ] && ! rustc --print target-libdir --target "$target" 2>/dev/null | xargs -r test -d; then
	echo "image: this machine cannot build $target: rustup target add $target, and a linker for it; or build on $machine" >&2
	exit 2
fi

remap="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/vas"
bins=()
for program in "${programs[@]}"; do bins+=(--bin "$program"); done
(cd "${IMAGE_WORKSPACE:-.}" && RUSTFLAGS="-C target-feature=+crt-static -C strip=symbols $remap" \
	cargo build --locked --release --package "$package" "${bins[@]}" --target "$target" >&2)
for program in "${programs[@]}"; do echo "${CARGO_TARGET_DIR:-target}/$target/release/$program"; done
