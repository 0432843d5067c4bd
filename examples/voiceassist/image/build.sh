#!/usr/bin/env bash
# build.sh [service|postgres|redis...]: the images of VoiceAssist as archives in target/image, which docker, podman, containerd and
# kind load. Without names all three. Code 77: Debian's packages cannot be fetched on this machine.
set -euo pipefail
cd "$(dirname "$0")/../../.."
arch=amd64
case $(uname -m) in aarch64 | arm64) arch=arm64 ;; esac
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' examples/voiceassist/Cargo.toml | head -n 1)

archive() { # archive NAME:TAG OPTION...: target/image/NAME-ARCH.tar
	local name=${1%%:*} digest
	local file=target/image/${name##*/}-$arch.tar
	digest=$(image/archive.sh --arch $arch --image "$1" --output "$file" "${@:2}")
	echo "$file: $1, $(stat -c %s "$file") bytes, $digest"
}

service() {
	local built options=() program
	built=$(IMAGE_WORKSPACE=examples/voiceassist CARGO_TARGET_DIR=$PWD/target/voiceassist \
		image/build.sh $arch voiceassist api-gateway worker voiceassist-database)
	for program in $built; do options+=(--program "$program"); done
	archive "voiceassist/service:$version" --version "$version" "${options[@]}"
}

debian() { # debian postgres|redis TAG ENTRY
	local of_server
	of_server=$(examples/voiceassist/image/debian.sh "$1" "target/image/voiceassist-$1")
	archive "voiceassist/$1:$2" --tree "target/image/voiceassist-$1" --entry "$3" --user 999:999 --version "$of_server"
}

[ $# -gt 0 ] || set -- service postgres redis
for name in "$@"; do
	case $name in
	service) service ;;
	postgres) debian postgres 15 /usr/bin/docker-entrypoint.sh ;;
	redis) debian redis 7 /usr/bin/redis-server ;;
	*) echo "image: '$name' is none of service, postgres and redis" >&2; exit 2 ;;
	esac
done
