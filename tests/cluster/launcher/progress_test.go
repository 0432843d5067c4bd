package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const buildOutput = `go: downloading k8s.io/api v0.37.2
go: downloading k8s.io/client-go v0.37.2
internal/goarch
k8s.io/api/core/v1
# k8s.io/kubernetes/pkg/broken
pkg/broken/file.go:12:3: undefined: x
`

func TestProgressCountsPackagesInPiecesOfAnySize(t *testing.T) {
	for _, size := range []int{1, 7, len(buildOutput)} {
		p := &progress{name: "kubernetes", began: time.Now()}
		for rest := buildOutput; rest != ""; {
			piece := rest[:min(size, len(rest))]
			rest = rest[len(piece):]
			if _, err := fmt.Fprint(p, piece); err != nil {
				t.Fatal(err)
			}
		}
		if p.downloaded != 2 || p.compiled != 2 || len(p.other) != 2 {
			t.Errorf("pieces of %d: %d modules, %d packages, %d other lines, want 2 of each",
				size, p.downloaded, p.compiled, len(p.other))
		}
	}
}

func TestProgressDescribesDownloadThenCompilation(t *testing.T) {
	p := &progress{name: "kwok", began: time.Now(), downloaded: 3}
	if got := p.describe(); !strings.Contains(got, "3 modules") {
		t.Errorf("before the total is known: %q", got)
	}
	p.setTotal(974)
	p.compiled = 12
	if got := p.describe(); !strings.Contains(got, "12/974 packages") {
		t.Errorf("while compiling: %q", got)
	}
}

func TestBuildFailureQuotesTheCompiler(t *testing.T) {
	p := &progress{}
	fmt.Fprint(p, buildOutput)
	err := p.failure(errors.New("exit status 1"))
	if !strings.Contains(err.Error(), "undefined: x") || strings.Contains(err.Error(), "downloading") {
		t.Errorf("got %v", err)
	}
}
