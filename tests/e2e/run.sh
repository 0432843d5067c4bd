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
image() {
	local program version
	program=$(image/build.sh $arch)
	version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
	image/archive.sh --arch $arch --program "$program" --image "voiceassist/vas:$version" --output target/image/vas-$arch.tar >&2
	image/build.sh $arch vas-load-model-pod load-model-pod >&2
}
step "Kubernetes and what real nodes run" tests/cluster/cluster.sh build --node real
step "Helm" tests/cluster/cluster.sh build helm
step "the images of vas and of VoiceAssist's pods" image
step "the tests" cargo build --locked -p vas-e2e
target/debug/e2e
