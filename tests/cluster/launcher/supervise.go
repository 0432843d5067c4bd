package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// stopGrace is how long a component may take to stop. kube-apiserver waits
	// for open requests, which nobody is interested in here.
	stopGrace  = 3 * time.Second
	readyLimit = 60 * time.Second
	pollEvery  = 100 * time.Millisecond
)

// component is how one program of the cluster is run.
type component struct {
	name string
	// program is what runs; the one of the component's name if empty.
	program string
	// inside is where a real node's programs are started; nil means on this machine.
	inside chan func()
	args   []string
	// before, if any, is done before each start.
	before func(context.Context) error
	// ready returns nil once the component does its work.
	ready func(context.Context) error
}

// supervised is a component with its process.
type supervised struct {
	component
	log string
	// say reports what nobody asked for, such as an unexpected end.
	say func(format string, args ...any)

	mu      sync.Mutex
	wanted  bool
	process *process
}

func supervise(c component, p paths, bin string, say func(string, ...any)) *supervised {
	if c.program == "" {
		c.program = filepath.Join(bin, c.name)
	}
	return &supervised{component: c, log: p.log(c.name), say: say}
}

// start runs the component and waits until it is ready.
func (s *supervised) start(ctx context.Context) error {
	s.mu.Lock()
	if s.process != nil && s.process.running() {
		s.mu.Unlock()
		return fmt.Errorf("%s is running already", s.name)
	}
	process, err := s.spawn(ctx)
	if err != nil {
		s.mu.Unlock()
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.process, s.wanted = process, true
	s.mu.Unlock()

	if err := s.waitReady(ctx, process); err != nil {
		s.end(0)
		return err
	}
	go s.keepRunning(process)
	return nil
}

func (s *supervised) spawn(ctx context.Context) (*process, error) {
	if s.before != nil {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := s.before(ctx); err != nil {
			// Not in the way of a start: the API server may be down in a test.
			s.say("before %s: %v", s.name, err)
		}
	}
	if s.inside != nil {
		// The node's first process takes them along. A parent-death signal would end them at once: in the node's
		// namespace their parent has no number.
		return spawnWith(s.inside, s.log, s.program, s.args, &syscall.SysProcAttr{Setpgid: true})
	}
	return spawn(s.log, s.program, s.args)
}

func (s *supervised) waitReady(ctx context.Context, process *process) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	var last error
	for {
		attempt, done := context.WithTimeout(ctx, 3*time.Second)
		err := s.ready(attempt)
		done()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-process.ended:
			return fmt.Errorf("%s ended while starting (%s); end of %s:\n%s",
				s.name, process.state, s.log, lastLines(s.log, 15))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return fmt.Errorf("%s: start interrupted", s.name)
			}
			return fmt.Errorf("%s was not ready after %s: %w; end of %s:\n%s",
				s.name, readyLimit, last, s.log, lastLines(s.log, 15))
		case <-time.After(pollEvery):
		}
	}
}

// keepRunning starts a component again that ended without being told to, as
// the kubelet does in a real control plane (some end when they cannot reach
// the API server).
func (s *supervised) keepRunning(current *process) {
	for pause := time.Second; ; pause = min(2*pause, 10*time.Second) {
		<-current.ended
		s.mu.Lock()
		unexpected := s.wanted && s.process == current
		s.mu.Unlock()
		if !unexpected {
			return
		}
		s.say("%s ended by itself (%s), starting it again; see %s", s.name, current.state, s.log)
		time.Sleep(pause)

		s.mu.Lock()
		if !s.wanted || s.process != current {
			s.mu.Unlock()
			return
		}
		next, err := s.spawn(context.Background())
		if err == nil {
			s.process = next
			current = next
		}
		s.mu.Unlock()
		if err != nil {
			s.say("%s: %v", s.name, err)
		}
	}
}

// end stops the component and leaves it stopped. No grace means SIGKILL.
func (s *supervised) end(grace time.Duration) {
	s.mu.Lock()
	s.wanted = false
	process := s.process
	s.mu.Unlock()
	switch {
	case process == nil:
	case grace == 0:
		process.kill()
	default:
		process.end(grace)
	}
}

func (s *supervised) signal(signal syscall.Signal) error {
	s.mu.Lock()
	process := s.process
	s.mu.Unlock()
	if process == nil || !process.running() {
		return fmt.Errorf("%s is not running", s.name)
	}
	return process.signal(signal)
}

// describe is the component's line in `cluster status`.
func (s *supervised) describe() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.process == nil:
		return s.name + " not started"
	case s.process.running():
		return fmt.Sprintf("%s running pid=%d", s.name, s.process.command.Process.Pid)
	case s.wanted:
		return s.name + " restarting"
	}
	return s.name + " stopped"
}
