package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// exitLacking is the exit code for "this machine cannot do it", as in automake:
// neither a success nor a failure.
const exitLacking = 77

// lacking says what a machine needs for a real node and does not have.
type lacking struct{ what, fix string }

func (l lacking) Error() string { return fmt.Sprintf("%s: %s", l.what, l.fix) }

func isLacking(err error) bool {
	var reason lacking
	return errors.As(err, &reason)
}

// nodePrograms are the programs of a real node that are installed rather than
// built, with Debian's package of each.
var nodePrograms = []struct{ program, debian string }{
	{"containerd", "containerd"}, {"ctr", "containerd"}, {"containerd-shim-runc-v2", "containerd"}, {"runc", "runc"},
	{"ip", "iproute2"}, {"nsenter", "util-linux"}, {"nft", "nftables"}, {"iptables", "iptables"}, {"conntrack", "conntrack"},
}

// cniPlugins are where packages put them: Debian's, and everybody else's.
var cniPlugins = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// checkMachine returns every reason why no real node can run here.
func checkMachine() error {
	var missing []error
	if os.Geteuid() != 0 {
		missing = append(missing, lacking{"only root can start containers", "run it as root"})
	}
	packages := missingPackages()
	if len(packages) > 0 {
		missing = append(missing, lacking{"programs of a node are missing", "apt-get install " + strings.Join(packages, " ")})
	}
	if os.Geteuid() == 0 {
		missing = append(missing, checkKernel()...)
	}
	return errors.Join(missing...)
}

// missingPackages are Debian's packages of what is not installed, each once.
func missingPackages() []string {
	var packages []string
	for _, needed := range nodePrograms {
		if _, err := exec.LookPath(needed.program); err != nil && !slices.Contains(packages, needed.debian) {
			packages = append(packages, needed.debian)
		}
	}
	if _, err := cniFolder(); err != nil {
		packages = append(packages, "containernetworking-plugins")
	}
	return packages
}

// checkKernel tries what a node does: the kernel's configuration does not tell what a sandbox lets through.
func checkKernel() []error {
	probe := exec.Command("/bin/sh", "-c", "mount -t tmpfs tmpfs /mnt && ip link add name probe type bridge && "+
		"ip link add probe0 type veth peer name probe1")
	probe.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS,
	}
	if output, err := probe.CombinedOutput(); err != nil {
		return []error{lacking{
			fmt.Sprintf("no network, mount and process namespaces with a bridge and veth links (%v: %s)", err, strings.TrimSpace(string(output))),
			"run it in a virtual machine or a privileged container, with the kernel modules bridge and veth",
		}}
	}
	var missing []error
	for _, needed := range []struct{ path, fix string }{
		{"/proc/sys/net/bridge/bridge-nf-call-iptables", "modprobe br_netfilter"},
		{"/sys/fs/cgroup", "mount the cgroups"},
	} {
		if _, err := os.Stat(needed.path); err != nil {
			missing = append(missing, lacking{needed.path + " is missing", needed.fix})
		}
	}
	return missing
}

func cniFolder() (string, error) {
	for _, folder := range cniPlugins {
		if _, err := os.Stat(folder + "/bridge"); err == nil {
			return folder, nil
		}
	}
	return "", lacking{"CNI's plugins are missing", "apt-get install containernetworking-plugins"}
}
