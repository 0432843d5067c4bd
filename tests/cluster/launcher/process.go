package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is one run of a component.
type process struct {
	command *exec.Cmd
	// ended is closed when the process is gone; state is set by then.
	ended chan struct{}
	state *os.ProcessState
}

// spawns carries what has to run on the thread that all children belong to.
var spawns = make(chan func())

// startSpawner must run before the first spawn. The kernel sends a child its
// parent-death signal when the THREAD that started it ends, and Go ends idle
// threads; so one goroutine keeps its thread for ever and starts them all.
func startSpawner() {
	go func() {
		runtime.LockOSThread()
		for spawn := range spawns {
			spawn()
		}
	}()
}

// spawn starts a program that dies when the launcher does, whatever way it
// ends, with its output appended to a log file.
func spawn(logPath, program string, args []string) (*process, error) {
	return spawnWith(spawns, logPath, program, args, &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		// Ctrl-C on a terminal goes to the foreground group: the launcher
		// alone must get it, because it stops the others in order.
		Setpgid: true,
	})
}

// spawnWith starts a program on the thread that takes what to do from `thread`.
func spawnWith(thread chan func(), logPath, program string, args []string, attributes *syscall.SysProcAttr) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own copy
	fmt.Fprintf(log, "--- %s %s %s\n", time.Now().Format(time.RFC3339), filepath.Base(program), strings.Join(args, " "))

	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = attributes
	started := make(chan error)
	thread <- func() { started <- command.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	p := &process{command: command, ended: make(chan struct{})}
	go func() {
		// The error says no more than the state does.
		_ = command.Wait()
		p.state = command.ProcessState
		close(p.ended)
	}()
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) signal(signal syscall.Signal) error {
	if !p.running() {
		return os.ErrProcessDone
	}
	return p.command.Process.Signal(signal)
}

// end asks the process to stop and kills it when it has not after the grace
// period. It is frozen processes too that must end, hence SIGCONT.
func (p *process) end(grace time.Duration) {
	_ = p.signal(syscall.SIGTERM)
	_ = p.signal(syscall.SIGCONT)
	select {
	case <-p.ended:
	case <-time.After(grace):
		p.kill()
	}
}

func (p *process) kill() {
	_ = p.signal(syscall.SIGKILL)
	<-p.ended
}

// lastLines returns the end of a log file, indented, for an error message.
func lastLines(path string, count int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	lines := bytes.Split(bytes.TrimRight(content, "\n"), []byte("\n"))
	lines = lines[max(0, len(lines)-count):]
	var text strings.Builder
	for i, line := range lines {
		if i > 0 {
			text.WriteByte('\n')
		}
		const width = 400 // some components print whole objects
		fmt.Fprintf(&text, "  | %.*s", width, line)
	}
	return text.String()
}
