package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	startSpawner()
	os.Exit(m.Run())
}

// shell supervises a shell script as if it were a component.
func shell(t *testing.T, script string, ready func(context.Context) error) *supervised {
	t.Helper()
	s := &supervised{
		component: component{name: "shell", program: "/bin/sh", args: []string{"-c", script}, ready: ready},
		log:       filepath.Join(t.TempDir(), "shell.log"),
		say:       t.Logf,
	}
	t.Cleanup(func() { s.end(0) })
	return s
}

func always(context.Context) error { return nil }

func never(context.Context) error { return errors.New("not yet") }

func TestAComponentThatEndsWhileStartingIsQuoted(t *testing.T) {
	s := shell(t, "echo the disk is full; exit 7", never)
	err := s.start(context.Background())
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"shell", "exit status 7", "the disk is full", s.log} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestAComponentThatIgnoresSIGTERMIsKilled(t *testing.T) {
	trapped := filepath.Join(t.TempDir(), "trapped")
	s := shell(t, "trap '' TERM; echo > "+trapped+"; while :; do sleep 0.05; done",
		func(context.Context) error { _, err := os.Stat(trapped); return err })
	if err := s.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.end(100 * time.Millisecond)
	if s.process.running() {
		t.Error("still running")
	}
	if got := s.describe(); got != "shell stopped" {
		t.Errorf("status is %q", got)
	}
}

func TestAComponentThatEndsByItselfIsStartedAgain(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	s := shell(t, "echo >> "+runs+"; exec sleep 60", always)
	var once sync.Once
	said := make(chan struct{})
	s.say = func(string, ...any) { once.Do(func() { close(said) }) }
	if err := s.start(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.process.kill()
	deadline := time.Now().Add(10 * time.Second)
	for !strings.Contains(s.describe(), "running") {
		if time.Now().After(deadline) {
			t.Fatalf("status is %q", s.describe())
		}
		time.Sleep(20 * time.Millisecond)
	}
	<-said
}

func TestAStoppedComponentStaysStoppedUntilStarted(t *testing.T) {
	s := shell(t, "exec sleep 60", always)
	for range 2 {
		if err := s.start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := s.start(context.Background()); err == nil {
			t.Error("started twice at once")
		}
		s.end(time.Second)
		if got := s.describe(); got != "shell stopped" {
			t.Errorf("status is %q", got)
		}
	}
}

func TestLastLinesAreIndented(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("a\nb\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := lastLines(path, 2), "  | b\n  | c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
