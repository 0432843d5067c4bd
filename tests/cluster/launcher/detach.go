package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// upDetached starts a launcher of its own session and waits until its cluster
// works.
func upDetached(ctx context.Context, o upOptions) error {
	if o.kind == real {
		if err := checkMachine(); err != nil {
			return err
		}
	}
	// Here, because a build has progress to show on the terminal.
	if err := ensureBuilt(ctx, o.build); err != nil {
		return err
	}
	if err := o.paths.create(); err != nil {
		return err
	}
	if _, err := control(o.paths, "status"); err == nil {
		fmt.Fprintf(os.Stderr, "cluster: a cluster runs in %s already; it is left as it is\n", o.paths.dir)
		fmt.Println(exportLine(o.paths))
		return nil
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
	go func() {
		<-ctx.Done()
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
