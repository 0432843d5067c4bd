#!/usr/bin/env bash
# All tests of VoiceAssist, over a real PostgreSQL 15 and Redis 7 of their own: test.sh [NAME OF TESTS]. Ends with code 77, and one
# line that says what is missing, where these cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
code=0
examples/voiceassist/tests/servers.sh find >&2 || code=$?
if [ $code -ne 0 ]; then
	echo "voiceassist: NOT RUN" >&2
	exit $code
fi
echo "building vas, which runs its scenarios against the service, and the service" >&2
cargo build --locked --workspace --bin vas --bin load-model
cd examples/voiceassist
RUST_BACKTRACE=0 cargo test --locked "$@"
