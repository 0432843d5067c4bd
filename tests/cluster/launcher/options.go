package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// buildOptions say where the sources are and where the binaries go.
type buildOptions struct {
	source string
	bin    string
	// asIs takes binaries that are there without asking whether they are up to
	// date: what VAS_CLUSTER_BIN means (several checkouts share one set).
	asIs bool
	// programs are those to build; empty means what a cluster needs.
	programs []string
	// kind of the nodes: real ones need programs that others do not.
	kind string
}

// upOptions are what a cluster is started with.
type upOptions struct {
	build          buildOptions
	paths          paths
	detach         bool
	exitWithParent bool
	kind           string
	nodes          int
	hpaSync        time.Duration
	timeout        time.Duration
	apiserverFlags flagList
	managerFlags   flagList
	// args are the raw arguments, which --detach hands to the process that stays.
	args []string
}

// flagList is a repeatable `k=v` flag, passed on as `--k=v`.
type flagList []string

func (l *flagList) String() string { return strings.Join(*l, ",") }

func (l *flagList) Set(value string) error {
	key, _, found := strings.Cut(value, "=")
	if !found || key == "" {
		return fmt.Errorf("%q is not of the form name=value", value)
	}
	*l = append(*l, "--"+strings.TrimLeft(value, "-"))
	return nil
}

// sourceDir is tests/cluster: told by cluster.sh, else found from where the
// launcher lies (<repository>/target/cluster/bin/cluster).
func sourceDir() (string, error) {
	if dir := os.Getenv("VAS_CLUSTER_SOURCE"); dir != "" {
		return filepath.Abs(dir)
	}
	executable, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(executable), "..", "..", "..", "tests", "cluster")
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", fmt.Errorf("no sources in %s: run tests/cluster/cluster.sh instead", dir)
	}
	return dir, nil
}

func addBuildFlags(flags *flag.FlagSet, options *buildOptions) error {
	source, err := sourceDir()
	if err != nil {
		return err
	}
	options.source = source
	fallback := filepath.Join(source, "..", "..", "target", "cluster", "bin")
	if shared := os.Getenv("VAS_CLUSTER_BIN"); shared != "" {
		fallback, options.asIs = shared, true
	}
	flags.StringVar(&options.bin, "bin", fallback, "directory of the binaries; VAS_CLUSTER_BIN names one whose content is used as it is")
	return nil
}

func parseBuild(args []string) (buildOptions, error) {
	var options buildOptions
	flags := flag.NewFlagSet("cluster build", flag.ContinueOnError)
	if err := addBuildFlags(flags, &options); err != nil {
		return options, err
	}
	addKindFlag(flags, &options.kind)
	if err := flags.Parse(args); err != nil {
		return options, err
	}
	if err := checkKind(options.kind); err != nil {
		return options, fmt.Errorf("build: %w", err)
	}
	options.programs = flags.Args()
	return options, options.resolve()
}

// resolve makes the directories absolute: a detached launcher has another
// working directory.
func (o *buildOptions) resolve() (err error) {
	o.bin, err = filepath.Abs(o.bin)
	return err
}

func parseUp(args []string) (upOptions, error) {
	options := upOptions{args: args}
	flags := flag.NewFlagSet("cluster up", flag.ContinueOnError)
	if err := addBuildFlags(flags, &options.build); err != nil {
		return options, err
	}
	dir := flags.String("dir", "", "directory of this cluster's data, certificates, logs and kubeconfig (required)")
	flags.BoolVar(&options.detach, "detach", false, "return once the cluster works; 'cluster down' ends it")
	flags.BoolVar(&options.exitWithParent, "exit-with-parent", false, "also stop when standard input is closed")
	addKindFlag(flags, &options.kind)
	flags.IntVar(&options.nodes, "nodes", 2, "number of nodes")
	flags.DurationVar(&options.hpaSync, "hpa-sync-period", 5*time.Second, "how often the HPA controller looks at metrics")
	flags.DurationVar(&options.timeout, "timeout", 2*time.Minute, "how long the cluster may take to work, build not counted")
	flags.Var(&options.apiserverFlags, "apiserver-flag", "name=value for kube-apiserver, repeatable")
	flags.Var(&options.managerFlags, "kcm-flag", "name=value for kube-controller-manager, repeatable")
	if err := flags.Parse(args); err != nil {
		return options, err
	}
	if flags.NArg() > 0 {
		return options, fmt.Errorf("up: unexpected argument %q", flags.Arg(0))
	}
	if *dir == "" {
		return options, errors.New("up: --dir is required")
	}
	if err := checkKind(options.kind); err != nil {
		return options, fmt.Errorf("up: %w", err)
	}
	options.build.kind = options.kind
	most := maxNodes
	if options.kind == real {
		most = maxRealNodes
	}
	if options.nodes < 1 || options.nodes > most {
		return options, fmt.Errorf("up: --nodes must be between 1 and %d", most)
	}
	// The process that --detach starts gets the same arguments.
	options.detach = options.detach && os.Getenv(detachedVariable) == ""
	var err error
	if options.paths, err = newPaths(*dir); err != nil {
		return options, err
	}
	return options, options.build.resolve()
}

func addKindFlag(flags *flag.FlagSet, kind *string) {
	flags.StringVar(kind, "node", simulated, "kind of the nodes: simulated, or real ones that run containers, which takes root")
}

func checkKind(kind string) error {
	if kind != simulated && kind != real {
		return fmt.Errorf("--node must be %s or %s, not %q", simulated, real, kind)
	}
	return nil
}

// parseDir reads the arguments of the commands that talk to a running cluster.
// Flags may stand before or after the component's name.
func parseDir(command string, args []string) (paths, []string, error) {
	flags := flag.NewFlagSet("cluster "+command, flag.ContinueOnError)
	dir := flags.String("dir", "", "directory given to 'cluster up' (required)")
	var rest []string
	for {
		if err := flags.Parse(args); err != nil {
			return paths{}, nil, err
		}
		if flags.NArg() == 0 {
			break
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
	if *dir == "" {
		return paths{}, nil, fmt.Errorf("%s: --dir is required", command)
	}
	resolved, err := newPaths(*dir)
	return resolved, rest, err
}
