package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// down stops the cluster of a directory, and is content if there is none.
func down(p paths) error {
	if _, err := os.Stat(p.lock()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	running, err := isRunning(p)
	if err != nil || !running {
		return err
	}
	if _, err := control(p, "down"); err != nil {
		if err := signalLauncher(p, syscall.SIGTERM); err != nil {
			return err
		}
	}
	if gone, err := waitGone(p, 30*time.Second); gone || err != nil {
		return err
	}
	// Its children go with it.
	if err := signalLauncher(p, syscall.SIGKILL); err != nil {
		return err
	}
	if gone, err := waitGone(p, 5*time.Second); gone || err != nil {
		return err
	}
	return fmt.Errorf("the cluster in %s does not stop", p.dir)
}

func isRunning(p paths) (bool, error) {
	lock, err := tryLock(p.lock())
	if err != nil {
		return false, err
	}
	if lock == nil {
		return true, nil
	}
	return false, lock.Close()
}

func waitGone(p paths, limit time.Duration) (bool, error) {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		running, err := isRunning(p)
		if err != nil || !running {
			return err == nil, err
		}
	}
	return false, nil
}

// signalLauncher trusts the recorded process id only while the lock is held,
// which it is by that very process.
func signalLauncher(p paths, signal syscall.Signal) error {
	content, err := os.ReadFile(p.pid())
	if errors.Is(err, os.ErrNotExist) {
		return nil // it is about to end
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return fmt.Errorf("%s: %w", p.pid(), err)
	}
	return syscall.Kill(pid, signal)
}
