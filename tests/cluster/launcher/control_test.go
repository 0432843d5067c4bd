package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnswersEndInOkOrError(t *testing.T) {
	for answer, want := range map[string]struct{ text, message string }{
		"ok\n":                                {"", ""},
		"etcd running pid=7\nok\n":            {"etcd running pid=7\n", ""},
		"error: etcd is running already\n":    {"", "etcd is running already"},
		"error: etcd ended; log:\n  | a\n":    {"", "etcd ended; log:\n  | a"},
		"one line\nerror: and then nothing\n": {"one line", "and then nothing"},
		"":                                    {"", "the launcher ended without an answer"},
	} {
		text, err := parseAnswer(answer)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if text != want.text || message != want.message {
			t.Errorf("%q: got %q, %q", answer, text, message)
		}
	}
}

// A directory of a test can be far below the temporary one, and a socket's
// address is short.
func TestControlWorksInADirectoryWithALongName(t *testing.T) {
	p := paths{filepath.Join(t.TempDir(), strings.Repeat("long", 30))}
	if err := p.create(); err != nil {
		t.Fatal(err)
	}
	c := &cluster{parts: map[string]*supervised{}}
	for _, name := range componentNames {
		c.add(&supervised{component: component{name: name}})
	}
	closeControl, err := c.serveControl(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	text, err := control(p, "status")
	if err != nil || !strings.Contains(text, "etcd not started\n") {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := control(p, "stop nothing"); err == nil || !strings.Contains(err.Error(), `no component "nothing"`) {
		t.Errorf("got %v", err)
	}
	socket, err := os.ReadFile(p.controlPath())
	if err != nil {
		t.Fatal(err)
	}
	closeControl()
	if _, err := os.Stat(filepath.Dir(strings.TrimSpace(string(socket)))); !os.IsNotExist(err) {
		t.Errorf("the socket's directory is left: %v", err)
	}
	if _, err := control(p, "status"); err == nil || !strings.Contains(err.Error(), "no cluster runs in") {
		t.Errorf("got %v", err)
	}
}

func TestDownWithoutAClusterIsNoError(t *testing.T) {
	if err := down(paths{t.TempDir()}); err != nil {
		t.Error(err)
	}
}
