package main

import (
	"slices"
	"testing"
)

func TestPassedOnFlagsNeedANameAndAValue(t *testing.T) {
	var list flagList
	for _, value := range []string{"v=4", "--feature-gates=A=true"} {
		if err := list.Set(value); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"--v=4", "--feature-gates=A=true"}; !slices.Equal(list, want) {
		t.Errorf("got %q, want %q", list, want)
	}
	for _, value := range []string{"v", "=4", ""} {
		if err := list.Set(value); err == nil {
			t.Errorf("%q was accepted", value)
		}
	}
}

func TestComponentMayStandBeforeOrAfterTheDirectory(t *testing.T) {
	for _, args := range [][]string{{"--dir", "/x", "etcd"}, {"etcd", "--dir", "/x"}} {
		p, rest, err := parseDir("stop", args)
		if err != nil {
			t.Fatal(err)
		}
		if p.dir != "/x" || !slices.Equal(rest, []string{"etcd"}) {
			t.Errorf("%q: got %q, %q", args, p.dir, rest)
		}
	}
	if _, _, err := parseDir("stop", []string{"etcd"}); err == nil {
		t.Error("no --dir was accepted")
	}
}
