package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cgroupMounts are the roots of all hierarchies: one for each of v1, or the one of v2.
func cgroupMounts() ([]string, error) {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var roots []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) > 2 && strings.HasPrefix(words[2], "cgroup") && !slices.Contains(roots, words[1]) {
			roots = append(roots, words[1])
		}
	}
	return roots, lines.Err()
}

// nodeWeight is a node's share of the processors, by the file of each version of cgroups: a group alone counts as one
// process of the machine, however many pods it has, and its pods would starve beside a compiler.
var nodeWeight = map[string]string{"cpu.shares": "16384", "cpu.weight": "625"}

// makeCgroups makes the group under which a node's pods run, in every hierarchy.
func makeCgroups(name string) error {
	roots, err := cgroupMounts()
	if err != nil {
		return err
	}
	for _, root := range roots {
		dir := filepath.Join(root, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		// A new group of cpuset has neither CPUs nor memory.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			content, err := os.ReadFile(filepath.Join(root, file))
			if err != nil {
				continue // another hierarchy, or version 2, whose groups inherit them
			}
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
		}
		for file, weight := range nodeWeight {
			if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
				continue // another hierarchy, or the other version
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(weight), 0o644); err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
		}
	}
	return nil
}

// removeCgroups removes groups with all below them. They must be empty of processes.
func removeCgroups(names []string) error {
	roots, err := cgroupMounts()
	if err != nil {
		return err
	}
	var last error
	for _, root := range roots {
		for _, name := range names {
			var dirs []string
			_ = filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					dirs = append(dirs, path)
				}
				return nil
			})
			for _, dir := range slices.Backward(dirs) {
				if err := syscall.Rmdir(dir); err != nil && err != syscall.ENOENT {
					last = fmt.Errorf("%s: %w", dir, err)
				}
			}
		}
	}
	return last
}

// sweep waits for the end of the launcher, which is the end of standard input,
// and then removes what the end of the nodes' processes leaves: the link, and
// their groups once they are empty. It is a process of its own: the launcher may
// be killed.
func sweep(names []string) error {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	var last error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if last = errors.Join(removeLink(), removeCgroups(names)); last == nil {
			return nil
		}
	}
	return last
}

// startSweeper starts the process that sweeps, and returns what ends it and waits.
func startSweeper(nodes []realNode) (func(), error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := []string{"sweep"}
	for _, n := range nodes {
		args = append(args, n.cgroup())
	}
	log, err := os.OpenFile(nodes[0].paths.log("sweep"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(executable, args...)
	command.Stdout, command.Stderr = log, log
	// A session of its own, so that nothing meant for the launcher's group ends it.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return func() {
		input.Close()
		_ = command.Wait() // what it could not remove is in its log
	}, nil
}
