#!/usr/bin/env bash
# Looks at the live page of a run in a real browser. Ends with code 77, and one line that says what is missing, on a
# machine that has no Chromium.
set -euo pipefail
cd "$(dirname "$0")/../.."

for name in chromium chromium-browser google-chrome google-chrome-stable; do
	if VAS_TEST_BROWSER=$(command -v $name); then
		break
	fi
done
if [ -z "$VAS_TEST_BROWSER" ]; then
	echo "test-browser: NOT RUN: no Chromium on PATH (Debian: apt-get install chromium)" >&2
	exit 77
fi
export VAS_TEST_BROWSER
cargo build --locked --workspace --bin vas --bin load-model
RUST_BACKTRACE=0 cargo test --locked -p vas-tests --test browser
echo "test-browser: what was seen is in target/browser" >&2
