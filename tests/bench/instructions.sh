#!/bin/sh
# Counts the instructions of a read with callgrind: a figure that a busy machine does not change.
#
#     tests/bench/instructions.sh table     as a Markdown table, with the baseline
#     tests/bench/instructions.sh check     fails if one is 5 % above the baseline
#     tests/bench/instructions.sh accept    writes the baseline
#
# A read is the difference between runs with many and with few reads, so the start does not count.
set -eu

cd "$(dirname -- "$0")/../.."
baseline=tests/bench/instructions.txt
allowed=5 # percent
few=100
many=600

command -v valgrind >/dev/null 2>&1 || {
    echo "valgrind is not installed (Debian: apt-get install valgrind)" >&2
    exit 3
}
program=target/release/read-path
[ -n "${BUILT:-}" ] || cargo build --locked --quiet --release -p vas-bench --bin read-path

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# Instructions of a whole run.
run() {
    timeout 300 valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$program" "$1" "$2" \
        >"$scratch/log" 2>&1 || {
        tail -n 20 "$scratch/log" >&2
        echo "callgrind failed on $1" >&2
        exit 1
    }
    sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$scratch/out" | head -n 1
}

for read in object pods-3 pods-100; do
    more=$(run "$read" "$many")
    less=$(run "$read" "$few")
    echo "$read $(((more - less) / (many - few)))"
done >"$scratch/counts"

if [ "${1:-check}" != accept ] && [ ! -f "$baseline" ]; then
    [ "${1:-check}" = table ] || {
        cat "$scratch/counts"
        echo "there is no $baseline yet: write it with $0 accept" >&2
        exit 1
    }
    baseline=/dev/null
fi

case ${1:-check} in
accept)
    cp "$scratch/counts" "$baseline"
    cat "$baseline"
    ;;
table | check)
    # In one pass: a line for each read, and the exit code of the check.
    awk -v counts="$scratch/counts" -v mode="${1:-check}" -v allowed="$allowed" '
        FILENAME != counts { before[$1] = $2; next }
        mode == "table" && !head++ { print "| read | instructions | baseline |\n| --- | --- | --- |" }
        mode == "table" { print "| " $1 " | " $2 " | " (before[$1] ? before[$1] : "-") " |"; next }
        {
            percent = before[$1] ? 100 * ($2 - before[$1]) / before[$1] : 0
            printf "%s: %d instructions, %+.1f %% from the baseline of %d\n", $1, $2, percent, before[$1]
            if (!before[$1] || percent > allowed) bad = 1
        }
        END {
            if (bad) print "more than " allowed " % above tests/bench/instructions.txt: find out why, or accept it with tests/bench/instructions.sh accept"
            exit bad
        }' "$baseline" "$scratch/counts"
    ;;
*)
    echo "usage: $0 table|check|accept" >&2
    exit 2
    ;;
esac
