package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// detachedVariable tells a launcher that it is the one that stays, and that
	// descriptor 3 leads to the one that waits for it.
	detachedVariable = "VAS_CLUSTER_DETACHED"
	readyLine        = "READY"
)

// report is where progress goes: standard error, and the waiting launcher's
// terminal while there is one.
type report struct {
	detached bool
	waiting  *os.File
}

func newReport() (*report, error) {
	if os.Getenv(detachedVariable) == "" {
		return &report{}, nil
	}
	if err := os.Unsetenv(detachedVariable); err != nil {
		return nil, err
	}
	syscall.CloseOnExec(3)
	return &report{detached: true, waiting: os.NewFile(3, "waiting launcher")}, nil
}

func (r *report) say(format string, args ...any) {
	line := fmt.Sprintf("cluster: "+format+"\n", args...)
	fmt.Fprint(os.Stderr, line)
	if r.waiting != nil {
		fmt.Fprint(r.waiting, line)
	}
}

// ready tells whoever waits. The export line is the only one on standard
// output, so that `eval "$(cluster up ...)"` works.
func (r *report) ready(p paths) error {
	if !r.detached {
		_, err := fmt.Println(exportLine(p))
		return err
	}
	// Nobody may be waiting any more, which is no reason to stop.
	fmt.Fprintln(r.waiting, readyLine)
	waiting := r.waiting
	r.waiting = nil
	return waiting.Close()
}

func exportLine(p paths) string { return "export KUBECONFIG=" + p.kubeconfig() }

// upDetached starts a launcher of its own session and waits until its cluster
// works.
func upDetached(ctx context.Context, o upOptions) error {
	// Here, because a build has progress to show on the terminal.
	if err := ensureBuilt(ctx, o.build); err != nil {
		return err
	}
	if err := o.paths.create(); err != nil {
		return err
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(o.paths.log("launcher"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	command := exec.Command(executable, append([]string{"up"}, o.args...)...)
	command.Env = append(os.Environ(), detachedVariable+"=1")
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{writer}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = command.Start()
	writer.Close()
	if err != nil {
		return err
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(interrupts)
	go func() {
		<-interrupts
		_ = command.Process.Signal(syscall.SIGTERM) // what it says about it is read below
	}()

	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		if lines.Text() == readyLine {
			fmt.Println(exportLine(o.paths))
			return nil
		}
		fmt.Fprintln(os.Stderr, lines.Text())
	}
	_ = command.Wait() // its log says more than its exit code
	return fmt.Errorf("the cluster did not start; end of %s:\n%s",
		o.paths.log("launcher"), lastLines(o.paths.log("launcher"), 25))
}

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
