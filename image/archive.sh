#!/usr/bin/env bash
# Writes a container image as an OCI archive, with nothing but tar, gzip and sha256sum. docker, podman, containerd and
# kind load it. The same program, certificates, licence, version and commit always make the same digest, which is printed.
#
#   image/archive.sh --arch amd64 --program FILE [--program FILE]... --image NAME:TAG --output FILE.tar [--root FOLDER] [--version V]
#   image/archive.sh --arch amd64 --tree FOLDER --entry PATH --user UID:GID --image NAME:TAG --output FILE.tar --version V
#
# --program takes a static program of ours. It keeps the name of its file, and the first one is the entry point: `vas`, or one
# that the tests run in pods. --tree takes a whole root with programs of others, which may have shared libraries; --entry is the
# entry point in it. Their licences are in the root, so the image has no label with ours. --version is that of the label; without
# it the version of vas is. --root keeps what is in the image in a folder of that name, for Containerfile. Variables: SOURCE_DATE_EPOCH is the date in the image (default: the time
# of the commit), REVISION (default: the commit) and SOURCE (a URL; default: none) are labels, CA_CERTIFICATES is a PEM file of
# whom vas trusts outside of the cluster (default: those of this machine).
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)

fail() { echo "image: $*" >&2; exit 2; }

arch='' programs=() image='' output='' kept='' tree='' entry='' user=65532:65532 version=''
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || fail "$1 needs a value"
	case $1 in
	--arch) arch=$2 ;;
	--program) programs+=("$2") ;;
	--tree) tree=$2 ;;
	--entry) entry=$2 ;;
	--user) user=$2 ;;
	--image) image=$2 ;;
	--output) output=$2 ;;
	--root) kept=$2 ;;
	--version) version=$2 ;;
	*) fail "$1 is no option: --arch, --program, --tree, --entry, --user, --image, --output, --root, --version" ;;
	esac
	shift 2
done
if [ -n "$tree" ]; then
	[ ${#programs[@]} = 0 ] || fail "--tree and --program do not go together"
	[ -x "$tree$entry" ] || fail "--entry: '$tree' has no program '$entry'"
	[[ $entry =~ ^/[a-zA-Z0-9./_-]*$ ]] || fail "--entry: '$entry' is no path of a program"
	[ -n "$version" ] || fail "--version is missing: that of the programs in --tree"
else
	[ ${#programs[@]} != 0 ] || programs=('')
	for program in "${programs[@]}"; do
		[ -f "$program" ] || fail "--program: there is no file '$program': image/build.sh makes it"
		name=$(basename "$program")
		[[ $name =~ ^[a-z0-9][a-z0-9-]*$ ]] || fail "--program: '$name' is no name of a program in an image"
	done
	name=$(basename "${programs[0]}")
	entry=/$name
fi
[[ $user =~ ^[0-9]+:[0-9]+$ ]] || fail "--user: '$user' is no UID:GID"
[ -n "$output" ] || fail "--output is missing"
[[ $image =~ ^[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]] || fail "--image: '$image' is no NAME:TAG"
[[ $version =~ ^[A-Za-z0-9.+:~-]*$ ]] || fail "--version: '$version' is no version"
[ -z "$tree" ] || { name=${image%:*} name=${name##*/}; }
case $image in */*) ;; *) image=library/$image ;; esac
# As docker and containerd name it: a name without a host is one of docker.io.
case ${image%%/*} in *.* | *:* | localhost) full=$image ;; *) full=docker.io/$image ;; esac
tag=${image##*:}

# An ELF program that names no interpreter needs no shared library. Its machine is the half-word at byte 18.
bytes() { od -An -v -tu1 -j "$1" -N "$2" "$program" | tr -s ' \n' ' '; }
number() { local value=0 factor=1 byte; for byte in $(bytes "$1" "$2"); do value=$((value + byte * factor)) factor=$((factor * 256)); done; echo $value; }
static() { # static PROGRAM: fails unless it is one, for the right machine
	program=$1
	[ "$(bytes 0 6)" = " 127 69 76 70 2 1 " ] || [ "$(bytes 0 6)" = " 127 69 76 70 2 1" ] || fail "$program is no 64-bit ELF program"
	case $arch:$(number 18 2) in
	amd64:62 | arm64:183) ;;
	*) fail "$program is a program of another machine than $arch" ;;
	esac
	headers=$(number 32 8) size=$(number 54 2) count=$(number 56 2)
	for ((i = 0; i < count; i++)); do
		[ "$(number $((headers + i * size)) 4)" != 3 ] || fail "$program is not static: an image has no shared libraries; image/build.sh makes a static one"
	done
}
case $arch in amd64 | arm64) ;; *) fail "--arch: '$arch' is neither amd64 nor arm64" ;; esac
for program in "${programs[@]}"; do static "$program"; done

certificates=${CA_CERTIFICATES:-}
if [ -z "$certificates" ]; then
	for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
		[ ! -f "$file" ] || { certificates=$file; break; }
	done
fi
[ -f "$certificates" ] || fail "there are no CA certificates here: install ca-certificates, or name a PEM file in CA_CERTIFICATES"

git() { command git -C "$here" "$@" 2>/dev/null; }
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct || echo 0)}
revision=${REVISION:-$(git rev-parse HEAD || echo unknown)}
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
[ -n "$version" ] || version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/../Cargo.toml" | head -n 1)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pack() { # pack FOLDER: as a tar archive in which nothing depends on when, where and by whom it was made
	tar --create --format=ustar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --directory "$1" .
}
digest() { sha256sum "$1" | cut -d ' ' -f 1; }
blob() { # blob FILE: into the archive, under its digest, which is printed
	local sum; sum=$(digest "$1"); mv "$1" "$work/archive/blobs/sha256/$sum"; echo "$sum"
}

mkdir -p "$work/root/etc/ssl/certs" "$work/archive/blobs/sha256"
[ ${#programs[@]} = 0 ] || cp "${programs[@]}" "$work/root"
cp "$certificates" "$work/root/etc/ssl/certs/ca-certificates.crt"
[ -n "$tree" ] || cp "$here/../LICENSE" "$work/root/LICENSE"
find "$work/root" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
for program in "${programs[@]}"; do chmod 755 "$work/root/$(basename "$program")"; done
[ -z "$tree" ] || cp -a "$tree/." "$work/root"
if [ -n "$kept" ]; then
	rm -rf "$kept"
	mkdir -p "$(dirname "$kept")"
	cp -r "$work/root" "$kept"
fi
pack "$work/root" > "$work/layer.tar"
uncompressed=$(digest "$work/layer.tar")
gzip --no-name --best "$work/layer.tar"
layer_bytes=$(stat -c %s "$work/layer.tar.gz")
layer=$(blob "$work/layer.tar.gz")

label=org.opencontainers.image
source=''
[ -z "${SOURCE:-}" ] || source="\"$label.source\":\"$SOURCE\","
licenses="\"$label.licenses\":\"Apache-2.0\","
[ -z "$tree" ] || licenses=''
cat > "$work/config" <<JSON
{"created":"$created","architecture":"$arch","os":"linux","config":{"User":"$user","Entrypoint":["$entry"],"WorkingDir":"/","Labels":{"$label.title":"$name","$label.version":"$version","$label.revision":"$revision",$source$licenses"$label.created":"$created"}},"rootfs":{"type":"layers","diff_ids":["sha256:$uncompressed"]},"history":[{"created":"$created","created_by":"image/archive.sh"}]}
JSON
config_bytes=$(stat -c %s "$work/config")
config=$(blob "$work/config")

type=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"%s","digest":"sha256:%s","size":%s}]}' \
	$type.manifest.v1+json $type.config.v1+json "$config" "$config_bytes" $type.layer.v1.tar+gzip "$layer" "$layer_bytes" > "$work/manifest"
manifest_bytes=$(stat -c %s "$work/manifest")
manifest=$(blob "$work/manifest")

printf '{"imageLayoutVersion":"1.0.0"}' > "$work/archive/oci-layout"
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[{"mediaType":"%s","digest":"sha256:%s","size":%s,"platform":{"architecture":"%s","os":"linux"},"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}]}' \
	$type.index.v1+json $type.manifest.v1+json "$manifest" "$manifest_bytes" "$arch" "$full" "$tag" > "$work/archive/index.json"
# For those that read docker's own format.
printf '[{"Config":"blobs/sha256/%s","RepoTags":["%s"],"Layers":["blobs/sha256/%s"]}]' \
	"$config" "${image#library/}" "$layer" > "$work/archive/manifest.json"

mkdir -p "$(dirname "$output")"
pack "$work/archive" > "$output.part"
mv "$output.part" "$output"
echo "sha256:$manifest"
