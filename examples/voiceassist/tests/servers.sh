#!/usr/bin/env bash
# PostgreSQL 15 and Redis 7 for the tests: finds them, or fetches Debian's packages and unpacks them, and runs them.
#
#   servers.sh find                     what is used; fetches what is missing. Code 77: they cannot be had on this machine
#   servers.sh small                    whether a small disk can be had. Code 77: it cannot, which takes root
#   servers.sh postgres DIRECTORY PORT [MEGABYTES]
#                                       runs PostgreSQL on 127.0.0.1 until standard input ends, then removes the directory;
#                                       with a size, on a disk in memory of that size, which this process alone sees
#   servers.sh redis DIRECTORY PORT     the same with Redis
#
# Standard input is the life line: a test that ends, however it ends, leaves no server behind.
set -euo pipefail
cd "$(dirname "$0")/../../.."
unpacked=$PWD/target/voiceassist/debian
[ -n "${FETCH:-}" ] || PATH=$PATH:/usr/lib/postgresql/15/bin

fetch() { # fetch PACKAGE...: with the libraries that this machine lacks, into $unpacked
	command -v apt-get >/dev/null || {
		echo "voiceassist: PostgreSQL 15 and Redis 7 are neither on the PATH nor to be had: there is no apt-get" >&2
		exit 77
	}
	echo "voiceassist: fetching $* from Debian's packages (once)" >&2
	local downloads wanted=("$@") name
	downloads=$(mktemp -d)
	for name in $(examples/voiceassist/image/libraries.sh "$@"); do
		[ "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" = "install ok installed" ] || wanted+=("$name")
	done
	(cd "$downloads" && apt-get download -qq -o APT::Sandbox::User=root "${wanted[@]}" >&2) || {
		rm -r "$downloads"
		echo "voiceassist: these packages cannot be fetched: ${wanted[*]}" >&2
		exit 77
	}
	mkdir -p "$unpacked/usr/lib"
	for name in "$downloads"/*.deb; do dpkg-deb --extract "$name" "$unpacked"; done
	rm -r "$downloads"
}

program() { # program NAME VERSION PACKAGE...: its path
	local name=$1 version=$2 path
	shift 2
	for attempt in found fetched; do
		for path in $([ -n "${FETCH:-}" ] || command -v "$name") "$unpacked/usr/lib/postgresql/15/bin/$name" "$unpacked/usr/bin/$name"; do
			[ -x "$path" ] || continue
			if $(libraries "$path") "$path" --version 2>/dev/null | grep -q "$version"; then
				echo "$path"
				return
			fi
		done
		[ $attempt = fetched ] || fetch "$@"
	done
	echo "voiceassist: $name is not to be had on this machine ($version)" >&2
	exit 77
}

libraries() { # libraries PROGRAM: how to start it, with the unpacked libraries if it is an unpacked one
	case $1 in
	"$unpacked"/*) echo env "LD_LIBRARY_PATH=$(find "$unpacked/usr/lib" -maxdepth 1 -name '*-linux-gnu')" ;;
	esac
}

postgres_program() { program postgres ' 15\.' postgresql-15 postgresql-client-15; }
redis_program() { program redis-server 'v=7\.' redis-server redis-tools; }

# PostgreSQL refuses to run as root.
unprivileged=()
[ "$(id -u)" != 0 ] || unprivileged=(setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups)

run() { # run SIGNAL COMMAND...: until it ends or standard input does, which ends it with the signal. Each word before the
	# program replaces itself by what follows, so the process in the background is the server itself.
	local signal=$1 server watch
	shift
	exec 3<&0
	"$@" </dev/null 3<&- &
	server=$!
	(
		cat <&3 >/dev/null
		touch "$directory/ended"
		# Again and again: a server that only just starts ignores it.
		while kill -"$signal" $server 2>/dev/null; do sleep 0.1; done
	) &
	watch=$!
	wait $server || true
	pkill -P $watch 2>/dev/null || true
	kill $watch 2>/dev/null || true
	# A server that was killed keeps its data, and so does one that is to start again (the file `keep`).
	if [ -e "$directory/ended" ]; then
		rm "$directory/ended"
		if [ -e "$directory/keep" ]; then rm "$directory/keep"; else rm -rf "$directory"; fi
	fi
}

# A disk in memory, in a namespace of its own: it is gone with the last process that sees it, however that ends.
if [ -n "${4:-}" ]; then
	# shellcheck disable=SC2016 # the inner shell's variables
	exec unshare --mount sh -c 'mount -t tmpfs -o "size=$1m" tmpfs "$2" && shift 2 && exec "$@"' sh "$4" "$2" \
		"$PWD/examples/voiceassist/tests/servers.sh" "$1" "$2" "$3"
fi

case $1 in
small)
	unshare --mount mount -t tmpfs -o size=1m tmpfs /tmp 2>/dev/null || exit 77
	;;
find)
	echo "PostgreSQL: $(postgres_program)"
	echo "Redis: $(redis_program)"
	;;
postgres)
	directory=$2
	program=$(postgres_program)
	# shellcheck disable=SC2207 # words
	start=("${unprivileged[@]}" $(libraries "$program"))
	if [ ! -e "$directory/data/PG_VERSION" ]; then
		mkdir -p "$directory/data"
		[ "$(id -u)" != 0 ] || chown -R nobody "$directory"
		"${start[@]}" "$(dirname "$program")/initdb" --pgdata "$directory/data" --username voiceassist --auth trust \
			--encoding UTF8 --locale C >"$directory/initdb.log" 2>&1 || {
			cat "$directory/initdb.log" >&2
			exit 1
		}
	fi
	run QUIT "${start[@]}" "$program" -D "$directory/data" -p "$3" -h 127.0.0.1 -k "$directory" -c max_connections=200 -c jit=off
	;;
redis)
	directory=$2
	mkdir -p "$directory"
	program=$(redis_program)
	# shellcheck disable=SC2046 # words
	run TERM $(libraries "$program") "$program" --port "$3" --bind 127.0.0.1 --dir "$directory" --save '' --maxmemory 512mb \
		--maxmemory-policy allkeys-lru
	;;
esac
