#!/usr/bin/env bash
# debian.sh postgres|redis FOLDER: a root with that server, its libraries and little else, from Debian's packages; prints the
# version of the server. Code 77: they cannot be fetched on this machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kind=$1 root=$2

case $kind in
postgres) packages=(postgresql-15 postgresql-client-15 dash coreutils tzdata) ;;
redis) packages=(redis-server redis-tools) ;;
*) echo "usage: debian.sh postgres|redis FOLDER" >&2; exit 2 ;;
esac
command -v apt-get >/dev/null || { echo "image: there is no apt-get, so no packages of Debian" >&2; exit 77; }

downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
rm -rf "$root"
mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,run,tmp,var}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
libraries=$("$here/libraries.sh" "${packages[@]}") || { echo "image: apt-cache does not know Debian's packages: apt-get update" >&2; exit 77; }
mapfile -t wanted <<<"$libraries"
(cd "$downloads" && apt-get download -qq -o APT::Sandbox::User=root "${packages[@]}" "${wanted[@]}" >&2) || {
	echo "image: not all of Debian's packages can be fetched: ${packages[*]} ${wanted[*]}" >&2
	exit 77
}
for archive in "$downloads"/*.deb; do
	# /lib and /bin stay the links that they are
	dpkg-deb --fsys-tarfile "$archive" | tar --extract --keep-directory-symlink --no-same-owner --directory "$root"
done
# The licences stay.
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
find "$root/usr/share/doc" -type d -empty -delete
rm -rf "$root"/usr/share/{man,locale,lintian,bug,info,perl5,bash-completion} "$root"/usr/lib/systemd "$root"/etc/{init.d,systemd,default}
rm -rf "$root"/usr/lib/postgresql/15/lib/{bitcode,llvmjit*}
for name in initdb postgres pg_isready; do
	[ "$kind" != postgres ] || [ -x "$root/usr/lib/postgresql/15/bin/$name" ] || { echo "image: $name is in none of the packages" >&2; exit 77; }
done
printf '%s:x:999:999::/nonexistent:/usr/sbin/nologin\n' "$kind" >"$root/etc/passwd"
printf '%s:x:999:\n' "$kind" >"$root/etc/group"
if [ "$kind" = postgres ]; then
	ln -sf ../lib/postgresql/15/bin/pg_isready "$root/usr/bin/pg_isready"
	ln -sf ../lib/postgresql/15/bin/psql "$root/usr/bin/psql"
	mkdir -p "$root/var/run" "$root/var/lib/postgresql/data"
	install -m 755 "$here/postgres.sh" "$root/usr/bin/docker-entrypoint.sh"
else
	[ -x "$root/usr/bin/redis-server" ] || { echo "image: redis-server is in none of the packages" >&2; exit 77; }
fi
dpkg-deb --field "$downloads/${packages[0]}"_*.deb Version
