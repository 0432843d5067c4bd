#!/usr/bin/env bash
# Builds what the end-to-end tests need, and runs them: vas from its image, on nodes that run containers. Ends with code 77,
# and one line that says what is missing, on a machine that cannot run them.
set -euo pipefail
cd "$(dirname "$0")/../.."

code=0
tests/cluster/cluster.sh check || code=$?
if [ $code -ne 0 ]; then
	echo "e2e: NOT RUN" >&2
	exit $code
fi
case $(uname -m) in
aarch64 | arm64) arch=arm64 ;;
*) arch=amd64 ;;
esac
step() { # step WHAT COMMAND...: with the seconds it took, for the budget
	local what=$1 began=$SECONDS
	shift
	"$@"
	echo "e2e: $what: $((SECONDS - began)) s" >&2
}
image() { # image NAME:TAG [PACKAGE PROGRAM]: target/image/PROGRAM-ARCH.tar
	local program
	program=$(image/build.sh $arch "${@:2}")
	image/archive.sh --arch $arch --program "$program" --image "$1" --output "target/image/$(basename "$program")-$arch.tar" >&2
}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
step "Kubernetes and what real nodes run" tests/cluster/cluster.sh build --node real
step "Helm" tests/cluster/cluster.sh build helm
[ "${CORE:-}" = 1 ] || step "the VPA's programs" tests/cluster/cluster.sh build vpa-recommender vpa-updater vpa-admission-controller
step "the image of vas" image "voiceassist/vas:$version"
step "the image of VoiceAssist's pods" image vas.test/load-model-pod:1 vas-load-model-pod load-model-pod
step "the tests" cargo build --locked --workspace --bin e2e
target/debug/e2e
