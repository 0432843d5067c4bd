#!/bin/sh
# Entry point of the image of PostgreSQL: what the manifest uses of the public image's. With an empty PGDATA it makes a database
# of POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB; then it runs PostgreSQL with the arguments. It removes nothing but what a
# first start that was cut off left in PGDATA.new.
set -eu
export PATH="${PATH:-/usr/bin}:/usr/lib/postgresql/15/bin"
case ${1:-} in
-* | '') ;;
*) exec "$@" ;;
esac
if [ ! -e "$PGDATA/PG_VERSION" ]; then
	# A folder with files may be somebody's data, whatever is missing in it: then this fails.
	[ ! -e "$PGDATA" ] || rmdir "$PGDATA"
	# Under another name first: an end in the middle leaves nothing that looks ready.
	rm -rf "$PGDATA.new"
	umask 077
	password=$(mktemp)
	printf '%s' "$POSTGRES_PASSWORD" >"$password"
	initdb --pgdata "$PGDATA.new" --username "$POSTGRES_USER" --pwfile "$password" --auth-local trust --auth-host scram-sha-256 \
		--encoding UTF8 --locale C
	rm "$password"
	echo 'host all all all scram-sha-256' >>"$PGDATA.new/pg_hba.conf"
	[ "$POSTGRES_DB" = postgres ] || echo "create database \"$POSTGRES_DB\"" | postgres --single -D "$PGDATA.new" postgres
	mv "$PGDATA.new" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c 'listen_addresses=*' -c jit=off "$@"
