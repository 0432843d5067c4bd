#!/usr/bin/env bash
# Writes docs/cost.md: what of the saving in VoiceAssist's report scaling explains, by `vas simulate` over a made-up week.
# Usage: cost.sh VAS [PAGE]
set -euo pipefail
cd "$(dirname "$0")/../.."

vas=$1
page=${2:-docs/cost.md}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

week() { # week NIGHT PEAK: values per second for seven days, highest at 14:00; two days with six tenths of them
	awk -v night="$1" -v peak="$2" 'BEGIN {
		turn = 8 * atan2(1, 1)
		print "time,value"
		for (minute = 0; minute < 7 * 1440; minute++) {
			share = (1 + cos((minute % 1440 / 1440 - 14 / 24) * turn)) / 2
			weekend = minute >= 5 * 1440 ? 0.6 : 1
			printf "%d,%.2f\n", 1772409600 + 60 * minute, (night + (peak - night) * share * share) * weekend
		}
	}'
}
simulate() { # simulate WORKLOAD LOAD FLAG...: the table alone; the assumptions are in the text of the page
	"$vas" simulate -f manifests/voiceassist/voiceassistscaling.yaml --price 0.1566 --workload "$1" --load "$2" "${@:3}" |
		sed '/^$/,$d'
}

week 120 830 >"$work/requests.csv"
week 1 7 >"$work/jobs.csv"
gateway=$(simulate api-gateway "$work/requests.csv" --static 5)
worker=$(simulate worker "$work/jobs.csv" --static 2 --capacity 2 --slo 1m --patience 10m)
mean() { awk -v name="$2" '$1 == name { print $(NF - 3) }' <<<"$1"; }
cost() { awk -v name="$2" '$1 == name { print $NF }' <<<"$1"; }
add() { awk -v one="$1" -v other="$2" 'BEGIN { printf "%.2f", one + other }'; }

cat >"$page" <<EOF
# What scaling saves, and what it does not

The report that this project grew out of says: five API pods and two workers, always on, cost about \$800 a month; scaled, with four
and two on average, about \$500. \`make cost\` takes that apart and writes this page.

- Seven pods for \$800 are \$0.1566 for a pod and an hour, if pods are the whole bill: 800 / (7 x 730 h).
- Six pods on average then cost 6 x 730 h x \$0.1566 = \$686. **Scaling explains \$114 of the \$300.**
- The other \$186 are not from scaling. The report names caching, which took 30 % off the database's bill.

## The same week, replayed

\`vas simulate\` replays a made-up week through the shipped resource with the report's bounds, 2 to 10 and 1 to 5. The load is highest
at 14:00 and lowest at 02:00, from 120 to 830 requests and from 1 to 7 jobs per second, and six tenths of that at the weekend.

API gateway, which carries 143 requests per second and pod (its target / 0.7):

\`\`\`
$gateway
\`\`\`

Worker, which does two jobs per second and pod; a job should wait at most a minute:

\`\`\`
$worker
\`\`\`

Together the scaled workloads have $(add "$(mean "$gateway" resource)" "$(mean "$worker" resource)") pods on average for \$$(add "$(cost "$gateway" resource)" "$(cost "$worker" resource)") a month, close to the six
pods of the report. The rows \`static\` say what the report does not: the same seven pods, always on, are too few for the peaks
of this week. Scaling carries the load first; what it saves depends on how deep the nights are.

## What is assumed, not known

The shape of the load, the time to Ready of 30 s, what a pod carries, and that pods alone make the bill: nodes are not modelled, and
a cluster without an autoscaler for its nodes costs the same with fewer pods. [simulate.md](simulate.md) says how to replay a load of your own.
EOF
echo "cost: wrote $page" >&2
