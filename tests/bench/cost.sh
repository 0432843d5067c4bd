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

VoiceAssist's report, from which this project began, compares two months. Five API pods and two workers that always run cost about \$800.
With scaling, four API pods and two workers run on average, and the month costs about \$500. This page shows how much of the saving of
\$300 comes from scaling. \`make cost\` writes the page.

- Seven pods cost \$800 a month. If the pods are the whole bill, one pod costs 800 / (7 x 730 h) = \$0.1566 an hour.
- Six pods on average then cost 6 x 730 h x \$0.1566 = \$686. **So scaling explains \$114 of the \$300.**
- The other \$186 do not come from scaling. The report names caching, which reduced the bill of the database by 30 %.

## The same week, replayed

\`vas simulate\` replays an invented week with the shipped resource and the bounds of the report: 2 to 10 API pods, and 1 to 5 workers. The
load is lowest at 02:00, with 120 requests and 1 job per second. It is highest at 14:00, with 830 requests and 7 jobs per second. At the
weekend it is 60 % of that. [simulate.md](simulate.md#figures) explains the columns.

An API pod carries 143 requests per second (its target / 0.7):

\`\`\`
$gateway
\`\`\`

A worker does two jobs per second, and a job should wait at most a minute:

\`\`\`
$worker
\`\`\`

With scaling, both workloads together have $(add "$(mean "$gateway" resource)" "$(mean "$worker" resource)") pods on average for \$$(add "$(cost "$gateway" resource)" "$(cost "$worker" resource)") a month. That is close to the
six pods of the report. The rows \`static\` show what the report does not say: the same seven pods, always on, are too few for the peaks of
this week. So the first benefit of scaling is that the service carries the load. The saving depends on how low the load is at night.

## Assumptions

Nobody measured the shape of the load, the time to Ready of 30 s, or the load that a pod carries. The page also assumes that the pods are
the whole bill. Nodes are not in the model: a cluster without an autoscaler for its nodes costs the same with fewer pods.
[simulate.md](simulate.md) says how to replay a load of your own.
EOF
echo "cost: wrote $page" >&2
