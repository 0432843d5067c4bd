#!/usr/bin/env bash
# libraries.sh PACKAGE...: Debian's packages with the libraries that these packages need, one in a line. No Perl, no compiler for
# PostgreSQL's queries (jit is off here), nothing of systemd's own.
set -euo pipefail
apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" |
	grep -E '^(lib|zlib1g$|gcc-[0-9]+-base)' | grep -Ev -- '-perl$|^libperl|^libllvm|^libz3|^libpam-|-dev$' | sort -u |
	# What another package provides has no file of its own.
	xargs apt-cache show --no-all-versions 2>/dev/null | sed -n 's/^Package: //p' | sort -u
