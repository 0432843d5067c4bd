package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAConfigurationWithoutAValueIsAnError(t *testing.T) {
	if _, err := rendered("kubelet.yaml", map[string]string{"Name": "node-0"}); err == nil {
		t.Error("values were missing and nobody was told")
	}
	text, err := rendered("kube-proxy.yaml", map[string]string{"Name": "node-7", "PodRange": podRange, "Dir": "/d"})
	if err != nil || !strings.Contains(text, "hostnameOverride: node-7\n") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWhatAMachineLacksIsToldWithItsRemedy(t *testing.T) {
	err := fmt.Errorf("up: %w", errors.Join(lacking{"no root", "become root"}, lacking{"no runc", "apt-get install runc"}))
	if !isLacking(err) || isLacking(errors.New("another")) {
		t.Error("a lack is not told from a failure")
	}
	for _, part := range []string{"no root: become root", "no runc: apt-get install runc"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

func TestProgramsOfRealNodesAreBuiltForThoseAlone(t *testing.T) {
	all, err := targets("..")
	if err != nil {
		t.Fatal(err)
	}
	for kind, wanted := range map[string]bool{simulated: false, real: true} {
		built, err := chosen(slices.Clone(all), nil, kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"node", "pause", "coredns", "prometheus-in-cluster"} {
			if has := slices.ContainsFunc(built, func(t target) bool { return t.name == name }); has != wanted {
				t.Errorf("%s nodes: %s is built: %t", kind, name, has)
			}
		}
	}
}
