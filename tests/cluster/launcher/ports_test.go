package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFreePortKeepsThePreferredOne(t *testing.T) {
	first, port, err := freePort(0)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	again, same, err := freePort(port)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if same != port {
		t.Errorf("port %d was free, got %d", port, same)
	}
}

func TestFreePortTakesAnotherWhenThePreferredOneIsInUse(t *testing.T) {
	holder, port, err := freePort(0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	listener, other, err := freePort(port)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if other == port || other < firstPort || other > lastPort {
		t.Errorf("got port %d while %d is in use", other, port)
	}
}

func TestChosenPortsDifferAndSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ports.json")
	chosen, err := choosePorts(path)
	if err != nil {
		t.Fatal(err)
	}
	users := map[int]string{}
	for user, port := range chosen {
		if other, taken := users[port]; taken {
			t.Errorf("%s and %s both have port %d", user, other, port)
		}
		users[port] = user
	}
	if len(chosen) != len(portUsers) {
		t.Errorf("%d ports for %d users", len(chosen), len(portUsers))
	}
	again, err := choosePorts(path)
	if err != nil {
		t.Fatal(err)
	}
	for user, port := range chosen {
		if again[user] != port {
			t.Errorf("%s had port %d, has %d after a restart", user, port, again[user])
		}
	}
}

func TestBrokenPortsFileSaysWhatToDo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ports.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := choosePorts(path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("got %v", err)
	}
}
