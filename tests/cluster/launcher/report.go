package main

import (
	"fmt"
	"os"
	"sync"
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
	began    time.Time
	detached bool

	mu      sync.Mutex
	waiting *os.File
}

func newReport() (*report, error) {
	if os.Getenv(detachedVariable) == "" {
		return &report{began: time.Now()}, nil
	}
	if err := os.Unsetenv(detachedVariable); err != nil {
		return nil, err
	}
	syscall.CloseOnExec(3)
	return &report{began: time.Now(), detached: true, waiting: os.NewFile(3, "waiting launcher")}, nil
}

func (r *report) say(format string, args ...any) {
	line := fmt.Sprintf("cluster: %5.1f s  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
	r.mu.Lock()
	defer r.mu.Unlock()
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
	r.mu.Lock()
	defer r.mu.Unlock()
	// Nobody may be waiting any more, which is no reason to stop.
	fmt.Fprintln(r.waiting, readyLine)
	waiting := r.waiting
	r.waiting = nil
	return waiting.Close()
}

func exportLine(p paths) string { return "export KUBECONFIG=" + p.kubeconfig() }
