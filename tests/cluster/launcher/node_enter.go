package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// setnsCall is the number of setns(2), which the standard library does not name everywhere.
var setnsCall = map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]

// enter returns where to start processes of a node: a thread that has entered
// its namespaces and stays there. What it starts is the launcher's child, so
// that it is signalled and awaited as the others are.
func enter(holder *process) (chan func(), error) {
	if setnsCall == 0 {
		return nil, lacking{"real nodes are for amd64 and arm64", "this is " + runtime.GOARCH}
	}
	entered := make(chan error)
	inside := make(chan func())
	go func() {
		// Never unlocked: no other goroutine may run on this thread.
		runtime.LockOSThread()
		err := enterThread(holder.command.Process.Pid)
		entered <- err
		if err != nil {
			return
		}
		for spawn := range inside {
			spawn()
		}
	}()
	if err := <-entered; err != nil {
		return nil, err
	}
	return inside, nil
}

func enterThread(pid int) error {
	// All open before the first is entered: /proc is another one then.
	var spaces []*os.File
	for _, kind := range []string{"net", "pid", "mnt"} {
		space, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
		if err != nil {
			return err
		}
		defer space.Close()
		spaces = append(spaces, space)
	}
	// A thread that shares its working directory with others cannot change its mounts.
	if err := syscall.Unshare(syscall.CLONE_FS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	for _, space := range spaces {
		if _, _, failure := syscall.RawSyscall(setnsCall, space.Fd(), 0, 0); failure != 0 {
			return fmt.Errorf("setns %s: %w", space.Name(), failure)
		}
	}
	return nil
}
