package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The replace lines of go.mod are written by set-kubernetes-version.sh; one
// that is of another release would mix two versions of Kubernetes.
func TestEveryReplacedModuleIsOfTheKubernetesRelease(t *testing.T) {
	goMod := filepath.Join("..", "go.mod")
	version, err := kubernetesVersion(goMod)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(goMod)
	if err != nil {
		t.Fatal(err)
	}
	replaced := 0
	for line := range strings.Lines(string(content)) {
		from, to, found := strings.Cut(line, "=>")
		if !found {
			continue
		}
		replaced++
		words := strings.Fields(to)
		if len(words) != 2 || words[0] != strings.TrimSpace(from) || words[1] != stagingVersion(version) {
			t.Errorf("%q does not fit Kubernetes %s", strings.TrimSpace(line), version)
		}
	}
	if replaced < 25 {
		t.Errorf("only %d replace lines", replaced)
	}
}

func TestKubernetesVersionIsReadFromBothFormsOfRequire(t *testing.T) {
	for text, want := range map[string]string{
		"module x\nrequire k8s.io/kubernetes v1.37.2\n":                                   "v1.37.2",
		"module x\nrequire (\n\tk8s.io/api v0.0.0\n\tk8s.io/kubernetes v1.36.0 // x\n)\n": "v1.36.0",
		"module x\nrequire k8s.io/kubernetes v1.38.0-alpha.1\n":                           "",
		"module x\n": "",
	} {
		path := filepath.Join(t.TempDir(), "go.mod")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := kubernetesVersion(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestVersionFlagsNameTheMinorVersion(t *testing.T) {
	flags := versionFlags("v1.37.2")
	for _, want := range []string{"gitVersion=v1.37.2", "gitMajor=1", "gitMinor=37"} {
		if !strings.Contains(flags, want) {
			t.Errorf("%q lacks %q", flags, want)
		}
	}
}
