package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// progress reads what `go build -v` prints and says how far it is. A first
// build takes minutes, in which silence looks like a hang.
type progress struct {
	name     string
	began    time.Time
	terminal bool
	stop     chan struct{}
	stopped  sync.WaitGroup

	mu         sync.Mutex
	partial    []byte
	total      int
	compiled   int
	downloaded int
	other      []string // what is neither: warnings and errors
}

func newProgress(name string) *progress {
	p := &progress{name: name, began: time.Now(), stop: make(chan struct{})}
	if info, err := os.Stderr.Stat(); err == nil {
		p.terminal = info.Mode()&os.ModeCharDevice != 0
	}
	fmt.Fprintf(os.Stderr, "cluster: building %s\n", name)
	p.stopped.Add(1)
	go func() {
		defer p.stopped.Done()
		p.tick()
	}()
	return p
}

func (p *progress) tick() {
	every := 10 * time.Second
	if p.terminal {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			if p.terminal {
				fmt.Fprintf(os.Stderr, "\r\x1b[Kcluster: %s", p.describe())
			} else {
				fmt.Fprintf(os.Stderr, "cluster: %s\n", p.describe())
			}
		}
	}
}

// close ends the reports of this build; what went wrong, the error says.
func (p *progress) close() {
	close(p.stop)
	p.stopped.Wait()
	if p.terminal {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}

func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(os.Stderr, "cluster: %s built in %s: %d packages compiled, %d from Go's cache\n",
		p.name, time.Since(p.began).Round(time.Second), p.compiled, max(0, p.total-p.compiled))
}

func (p *progress) describe() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := time.Since(p.began).Round(time.Second)
	if p.total == 0 {
		return fmt.Sprintf("%s ... %d modules downloaded (%s)", p.name, p.downloaded, took)
	}
	return fmt.Sprintf("%s ... %d/%d packages (%s)", p.name, p.compiled, p.total, took)
}

func (p *progress) setTotal(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = total
}

// Write takes the output of the go command, in pieces of any size.
func (p *progress) Write(output []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.partial = append(p.partial, output...)
	for {
		end := bytes.IndexByte(p.partial, '\n')
		if end < 0 {
			return len(output), nil
		}
		p.line(string(p.partial[:end]))
		p.partial = p.partial[end+1:]
	}
}

// line sorts one line: `go build -v` prints import paths, one to a line.
func (p *progress) line(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		p.downloaded++
	case line == "":
	case strings.ContainsAny(line, " \t#"):
		p.other = append(p.other, line)
	default:
		p.compiled++
	}
}

// failure adds what the go command complained about.
func (p *progress) failure(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.other) == 0 {
		return err
	}
	last := p.other[max(0, len(p.other)-20):]
	return errors.New(err.Error() + "\n  | " + strings.Join(last, "\n  | "))
}
