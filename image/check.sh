#!/usr/bin/env bash
# check.sh ARCHIVE IMAGE: runs the image under containerd as the Deployments of manifests/install say: its own user,
# a root file system that cannot be written, no capabilities, no new privileges, the runtime's default seccomp profile.
#
# Everything happens in network, mount and process namespaces of its own, which end with it: nothing is left behind, and
# a containerd that runs here is not touched. Exit codes: 0 all is well, 1 something is not, 77 it cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."

lack() { echo "image: NOT CHECKED, since $*" >&2; exit 77; }
fail() { echo "image: $*" >&2; exit 1; }

archive=${1:?usage: image/check.sh ARCHIVE IMAGE} image=${2:?usage: image/check.sh ARCHIVE IMAGE}
if [ "${3:-}" != --inside ]; then
	[ "$(id -u)" = 0 ] || lack "only root can start containers"
	for tool in containerd ctr runc unshare ip; do
		command -v $tool >/dev/null || lack "$tool is missing (Debian: apt-get install containerd runc util-linux iproute2)"
	done
	unshare --net --mount --pid --fork true 2>/dev/null || lack "this machine does not let root make namespaces"
	[ -f "$archive" ] || fail "$archive is missing: make image"
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	rustc --edition 2024 image/dns.rs -o "$work/dns"
	unshare --net --mount --pid --fork --mount-proc --propagation private --kill-child=KILL \
		"$0" "$archive" "$image" --inside "$work"
	exit
fi

work=$4 containerd=$4/run/containerd.sock name=docker.io/$image
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir "$work/run" "$work/etc"
cat > "$work/containerd.toml" <<TOML
version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
TOML
containerd --config "$work/containerd.toml" --root "$work/root" --state "$work/run" --address "$containerd" 2> "$work/containerd.log" &
ctr() { command ctr --address "$containerd" "$@"; }
for ((i = 0; i < 60; i++)); do
	! ctr version >/dev/null 2>&1 || break
	sleep 0.5
done
ctr images import --snapshotter native "$archive" >/dev/null || { cat "$work/containerd.log" >&2; fail "containerd does not take $archive"; }

# As the kubelet writes them: the cluster's name server and its search domains.
printf 'search vas-system.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.0.0.1\noptions ndots:5\n' > "$work/etc/resolv.conf"
printf '127.0.0.1 localhost\n127.0.0.1 pod\n' > "$work/etc/hosts"
# --net-host mounts the host's own into the container.
mount --bind "$work/etc/resolv.conf" /etc/resolv.conf
mount --bind "$work/etc/hosts" /etc/hosts
"$work/dns" > "$work/names" &

# With all capabilities that ctr would give.
drop=()
for capability in CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE; do
	drop+=(--cap-drop "CAP_$capability")
done
run() { # run NAME [OPTION...] -- ARGUMENT...
	local container=$1 options=()
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	ctr run --snapshotter native --read-only --seccomp "${drop[@]}" --net-host "${options[@]}" "$name" "$container" /vas "$@"
}

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
said=$(run version --rm -- --version) || fail "vas --version failed: $said"
[ "$said" = "vas $version" ] || fail "vas --version says '$said', not 'vas $version'"
echo "ok   vas --version: $said"

# The operator with a service account, as its pod has one. The API server's name leads to a port where nobody listens, so
# the operator goes on trying, and its process can be looked at.
account=$work/account
mkdir "$account"
printf token > "$account/token"
printf vas-system > "$account/namespace"
awk '{ print } /END CERTIFICATE/ { exit }' target/image/*/root/etc/ssl/certs/ca-certificates.crt > "$account/ca.crt"
run operator --env KUBERNETES_SERVICE_HOST=api.example --env KUBERNETES_SERVICE_PORT=6443 \
	--env POD_NAME=pod --env POD_NAMESPACE=vas-system \
	--mount "type=bind,src=$account,dst=/var/run/secrets/kubernetes.io/serviceaccount,options=bind:ro" \
	-- operator > "$work/operator.log" 2>&1 &
look() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status" | tr '\t' ' '; }
for ((i = 0; i < 60; i++)); do
	pid=$(ctr tasks list 2>/dev/null | awk '$1 == "operator" { print $2 }')
	[ -z "$pid" ] || ! grep -q . "$work/names" || break
	sleep 0.5
done
[ -n "$pid" ] || { cat "$work/operator.log" >&2; fail "the operator does not run"; }
expect() { # expect FIELD VALUE MEANING, of the process' status
	local found; found=$(look "$1")
	[ "$found" = "$2" ] || fail "$3: $1 is '$found', not '$2'"
	echo "ok   $3: $1 $found"
}
expect Uid '65532 65532 65532 65532' 'its own user'
expect Gid '65532 65532 65532 65532' 'its own group'
expect CapEff 0000000000000000 'no capability'
expect CapBnd 0000000000000000 'and none to be had'
expect NoNewPrivs 1 'no new privileges'
expect Seccomp 2 'a seccomp profile'
awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo" | grep -q '^ro\b' || fail "its root file system can be written"
echo "ok   a root file system that cannot be written"
grep -q '^api\.example\.' "$work/names" || { tail -n 5 "$work/operator.log" >&2; fail "no name server was asked for the API server"; }
echo "ok   names: $(sort -u "$work/names" | tr '\n' ' ')"
