package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// target is one program to build.
type target struct {
	name string
	// dir is the folder of its go.mod, below tests/cluster. The tools have
	// modules of their own: they need other versions of k8s.io/* than Kubernetes.
	dir     string
	pkg     string
	flags   []string
	ldflags string
	// links are further names of the binary.
	links []string
	// asked is for programs that no cluster needs: built where they are named alone.
	asked bool
	// kind is the kind of nodes that needs it; empty means every cluster.
	kind string
}

func targets(source string) ([]target, error) {
	version, err := kubernetesVersion(filepath.Join(source, "go.mod"))
	if err != nil {
		return nil, err
	}
	return []target{
		{name: "kubernetes", dir: ".", pkg: "./kubernetes", ldflags: versionFlags(version),
			links: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"}},
		// Shares every package with Kubernetes, so building it is mostly linking.
		{name: "metrics-clients", dir: ".", pkg: "./clients"},
		{name: "kwok", dir: "tools/kwok", pkg: "sigs.k8s.io/kwok/cmd/kwok"},
		{name: "metrics-server", dir: "tools/metrics-server", pkg: "sigs.k8s.io/metrics-server/cmd/metrics-server"},
		// Its service discoveries are the clients of two dozen clouds.
		{name: "prometheus", dir: "tools/prometheus", pkg: "github.com/prometheus/prometheus/cmd/prometheus",
			flags: []string{"-tags=remove_all_sd"}},
		// What the tests check the rules of alerts with. Shares nearly every package with Prometheus.
		{name: "promtool", dir: "tools/prometheus", pkg: "github.com/prometheus/prometheus/cmd/promtool",
			flags: []string{"-tags=remove_all_sd"}, asked: true},
		// Without the C library, as everything is: nearly all packages of a node are Kubernetes' then.
		{name: "node", dir: ".", pkg: "./node", ldflags: versionFlags(version), kind: real,
			links: []string{"kubelet", "kube-proxy"}},
		// What runs in pods of real nodes has to be static, and is.
		{name: "pause", dir: ".", pkg: "./pause", kind: real},
		{name: "coredns", dir: "tools/coredns", pkg: ".", kind: real},
		{name: "prometheus-in-cluster", dir: "tools/prometheus", pkg: "github.com/prometheus/prometheus/cmd/prometheus",
			flags: []string{"-tags=remove_all_sd,enable_kubernetes_sd"}, kind: real},
		// What the tests of VPAs run in pods.
		{name: "vpa-recommender", dir: "tools/vpa", pkg: vpaModule + "/pkg/recommender", asked: true},
		{name: "vpa-updater", dir: "tools/vpa", pkg: vpaModule + "/pkg/updater", asked: true},
		{name: "vpa-admission-controller", dir: "tools/vpa", pkg: vpaModule + "/pkg/admission-controller", asked: true},
		// What the tests install the chart with.
		{name: "helm", dir: "tools/helm", pkg: "helm.sh/helm/v3/cmd/helm", asked: true},
	}, nil
}

// chosen are the programs of these names; without names, all that a cluster with nodes of this kind needs.
func chosen(all []target, names []string, kind string) ([]target, error) {
	for _, name := range names {
		if !slices.ContainsFunc(all, func(t target) bool { return t.name == name }) {
			return nil, fmt.Errorf("build: no program %q", name)
		}
	}
	return slices.DeleteFunc(all, func(t target) bool {
		if len(names) == 0 {
			return t.asked || t.kind != "" && t.kind != kind || t.name == "kwok" && kind == real
		}
		return !slices.Contains(names, t.name)
	}), nil
}

// build builds what is missing or out of date.
func build(ctx context.Context, o buildOptions) error {
	all, err := targets(o.source)
	if err != nil {
		return err
	}
	if all, err = chosen(all, o.programs, o.kind); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(o.bin, ".built"), 0o755); err != nil {
		return err
	}
	lock, err := waitLock(filepath.Join(o.bin, ".lock"), "another build is under way in "+o.bin+", waiting for it")
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, t := range all {
		if t.name == "prometheus" && usePrometheusOnPath(ctx, o.bin) {
			continue
		}
		if err := t.build(ctx, o); err != nil {
			return err
		}
	}
	if len(o.programs) > 0 {
		return nil
	}
	return writeVPA(ctx, o)
}

// ensureBuilt is what `up` does first. Binaries of a shared directory are taken
// as they are.
func ensureBuilt(ctx context.Context, o buildOptions) error {
	if o.asIs {
		missing := false
		needed := append([]string{"kubectl"}, componentNames...)
		if o.kind == real {
			needed = slices.Concat(needed, []string{"kubelet", "kube-proxy"}, systemPrograms)
		}
		for _, name := range needed {
			_, err := os.Stat(filepath.Join(o.bin, name))
			missing = missing || err != nil
		}
		if !missing {
			return nil
		}
	}
	return build(ctx, o)
}

func (t target) build(ctx context.Context, o buildOptions) error {
	key, err := t.key(o.source)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	binary := filepath.Join(o.bin, t.name)
	stamp := filepath.Join(o.bin, ".built", t.name)
	built, err := os.ReadFile(stamp)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if info, err := os.Lstat(binary); err != nil || !info.Mode().IsRegular() || string(built) != key {
		if err := t.compile(ctx, o, binary); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if err := writeFile(stamp, []byte(key), public); err != nil {
			return err
		}
	}
	for _, name := range t.links {
		if err := link(t.name, filepath.Join(o.bin, name)); err != nil {
			return err
		}
	}
	return nil
}

func (t target) compile(ctx context.Context, o buildOptions, binary string) error {
	dir := filepath.Join(o.source, t.dir)
	// Beside its place and then renamed: a cluster may be running the old one.
	fresh := fmt.Sprintf("%s.%d", filepath.Join(o.bin, "."+t.name), os.Getpid())
	defer os.Remove(fresh)
	progress := newProgress(t.name)
	err := t.run(ctx, dir, fresh, progress)
	progress.close()
	if err != nil {
		return progress.failure(err)
	}
	progress.done()
	return os.Rename(fresh, binary)
}

// run is the two calls of the go command, which report to progress.
func (t target) run(ctx context.Context, dir, fresh string, progress *progress) error {
	// How many packages there are; this also downloads the modules.
	list := goCommand(ctx, dir, slices.Concat([]string{"list", "-deps"}, t.flags, []string{t.pkg})...)
	var packages bytes.Buffer
	list.Stdout, list.Stderr = &packages, progress
	if err := list.Run(); err != nil {
		return err
	}
	progress.setTotal(bytes.Count(packages.Bytes(), []byte("\n")))

	args := slices.Concat([]string{"build", "-v"}, t.buildFlags(), []string{"-o", fresh, t.pkg})
	compile := goCommand(ctx, dir, args...)
	compile.Stdout, compile.Stderr = progress, progress
	return compile.Run()
}

func (t target) buildFlags() []string {
	ldflags := strings.TrimSpace("-s -w " + t.ldflags)
	return append([]string{"-trimpath", "-buildvcs=false", "-ldflags=" + ldflags}, t.flags...)
}

// key changes when the result of the build would.
func (t target) key(source string) (string, error) {
	dir := filepath.Join(source, t.dir)
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version(), t.pkg, t.buildFlags())
	files := []string{filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")}
	if strings.HasPrefix(t.pkg, ".") {
		own, err := filepath.Glob(filepath.Join(dir, t.pkg, "*.go"))
		if err != nil {
			return "", err
		}
		files = append(files, own...)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(hash, filepath.Base(file), len(content))
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// goCommand runs Go so that nothing of the user's own settings changes what is
// built, and so that it never fetches another toolchain.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	return command
}

// link makes name a symbolic link to a file beside it.
func link(to, name string) error {
	if current, err := os.Readlink(name); err == nil && current == to {
		return nil
	}
	temporary := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := os.Symlink(to, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}
