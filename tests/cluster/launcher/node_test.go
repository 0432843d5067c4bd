package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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

func TestAnImageHasItsProgramAndIsNamed(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "server")
	if err := os.WriteFile(program, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "image.tar")
	if err := writeImage("vas.test/server:1", program, archive); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := map[string]string{}
	for reader := tar.NewReader(file); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		content, readError := io.ReadAll(reader)
		if err := errors.Join(err, readError); err != nil {
			t.Fatal(err)
		}
		found[header.Name] = string(content)
	}
	if !strings.Contains(found["manifest.json"], `"vas.test/server:1"`) || !strings.Contains(found["config.json"], `["/server"]`) {
		t.Errorf("%q", found)
	}
	layer := tar.NewReader(strings.NewReader(found["layer.tar"]))
	for {
		header, err := layer.Next()
		if err != nil {
			t.Fatal("the layer has no server")
		}
		if header.Name == "server" {
			if header.Mode != 0o755 {
				t.Errorf("mode %o", header.Mode)
			}
			return
		}
	}
}
