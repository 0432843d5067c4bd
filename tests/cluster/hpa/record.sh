#!/bin/sh
# record.sh CASES SEED FILE: lets the HPA controller of the Kubernetes in go.mod decide in CASES random situations of a few
# syncs each, and writes them with its decisions to FILE, one JSON object a line. `cargo test -p vas-diagnose differential` holds
# core::hpa to tests/golden/hpa-syncs.jsonl, and to target/hpa/syncs.jsonl if it is there.
#
# The functions are unexported, so the controller's own files are laid over this folder for the time of the build: nothing of them
# is copied or changed.
set -eu
cases=$1 seed=$2
case $3 in /*) file=$3 ;; *) file=$PWD/$3 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
source=$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)/pkg/controller/podautoscaler
mkdir -p "$(dirname "$file")"
overlay=$(mktemp)
trap 'rm -f "$overlay"' EXIT
{
	printf '{"Replace": {'
	comma=
	for name in horizontal replica_calculator hpa_selector_store rate_limiters; do
		printf '%s"%s/%s.go": "%s/%s.go"' "$comma" "$here" "$name" "$source" "$name"
		comma=', '
	done
	printf '}}'
} >"$overlay"
GOTOOLCHAIN=local GOFLAGS= GOWORK=off CGO_ENABLED=0 go test -trimpath -buildvcs=false -tags=differential -overlay="$overlay" -count=1 -timeout=60m \
	-run='^TestRecord$' . -args -cases="$cases" -seed="$seed" -out="$file"
