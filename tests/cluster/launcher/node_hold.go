package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// heldFile appears in a node's own /run when its file system is complete.
const heldFile = "/run/held"

// nodeSysctls are what the kubelet wants of the machine. They are the whole
// machine's, so a node gets files that say so, and none is changed.
var nodeSysctls = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// hold is the first process of a real node's namespaces: it makes the node's
// file system and then waits for the orphans of containerd. The kernel ends all
// of the node's processes with it, and with them its links, rules and mounts.
func hold(dir string) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("hold is for the launcher alone: it must be the first process of a process namespace")
	}
	// The launcher ends it with SIGKILL; what a terminal sends is not for it.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if err := mountNode(dir); err != nil {
		return err
	}
	if err := os.WriteFile(heldFile, nil, 0o600); err != nil {
		return err
	}
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
		<-children
	}
}

func mountNode(dir string) error {
	type step struct {
		source, target, kind string
		flags                uintptr
	}
	steps := []step{
		{"", "/", "", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
	}
	for _, folder := range []string{"kubelet", "containerd", "cni"} {
		steps = append(steps, step{filepath.Join(dir, folder), "/var/lib/" + folder, "", syscall.MS_BIND})
	}
	steps = append(steps, step{filepath.Join(dir, "log"), "/var/log", "", syscall.MS_BIND})
	for name, value := range nodeSysctls {
		file := filepath.Join(dir, "sysctl", filepath.Base(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		steps = append(steps, step{file, "/proc/sys/" + name, "", syscall.MS_BIND})
	}
	steps = append(steps,
		step{"tmpfs", "/run", "tmpfs", 0},
		// The kubelet's volumes must show in the containers.
		step{"", "/", "", syscall.MS_REC | syscall.MS_SHARED})
	for _, s := range steps {
		if s.flags&syscall.MS_BIND != 0 {
			if info, err := os.Stat(s.source); err == nil && info.IsDir() || os.IsNotExist(err) {
				if err := os.MkdirAll(s.source, 0o700); err != nil {
					return err
				}
				if err := os.MkdirAll(s.target, 0o755); err != nil {
					return err
				}
			}
		}
		if err := syscall.Mount(s.source, s.target, s.kind, s.flags, ""); err != nil {
			return fmt.Errorf("mount %s %s: %w", s.source, s.target, err)
		}
	}
	return nil
}

// startHolder starts the first process of a node and waits until its file system is complete.
func startHolder(ctx context.Context, n realNode) (*process, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	holder, err := spawnWith(spawns, n.paths.log(n.name()), executable, []string{"hold", n.dir("")}, &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true,
		// Its mounts are its own before it runs: nothing may reach the machine's.
		Unshareflags: syscall.CLONE_NEWNS,
		Cloneflags:   syscall.CLONE_NEWNET | syscall.CLONE_NEWPID,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.name(), err)
	}
	held := filepath.Join(rootOf(holder), heldFile)
	err = eventually(ctx, n.name()+"'s namespaces", func(context.Context) (bool, error) {
		if !holder.running() {
			return true, nil
		}
		_, err := os.Stat(held)
		return err == nil, err
	})
	if err == nil && !holder.running() {
		err = fmt.Errorf("%s ended while starting:\n%s", n.name(), lastLines(n.paths.log(n.name()), 10))
	}
	if err != nil {
		holder.kill()
		return nil, err
	}
	return holder, nil
}

// rootOf is a node's file system, seen from the machine.
func rootOf(holder *process) string { return fmt.Sprintf("/proc/%d/root", holder.command.Process.Pid) }
