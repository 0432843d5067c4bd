// Command cluster runs a real Kubernetes control plane with simulated nodes on
// this machine, without root and without containers, for tests and the demo.
//
// It uses the standard library alone: it has to build in seconds, long before
// the Kubernetes it starts is there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage: cluster COMMAND [FLAGS]

  build  [PROGRAM...]          build what is missing (etcd, Kubernetes, kwok, ...),
                               or these programs alone; helm and promtool are built only so
  up     --dir DIR [--detach]  start a cluster and wait until it works
  down   --dir DIR             stop it and wait until it is gone
  status --dir DIR             one line per component
  stop   --dir DIR COMPONENT   stop one component (SIGTERM, then SIGKILL)
  kill   --dir DIR COMPONENT   the same with SIGKILL at once
  start  --dir DIR COMPONENT   start it again on the same port, wait until ready
  pause  --dir DIR COMPONENT   freeze it (SIGSTOP)
  resume --dir DIR COMPONENT   thaw it (SIGCONT)
  check                        whether this machine can run real nodes; exit code 77 if not
  packages                     Debian's packages that this machine lacks for real nodes
  load   --dir DIR ARCHIVE...  put images into every real node

'cluster COMMAND --help' lists the flags of a command.
components: `

func main() {
	if len(os.Args) < 2 {
		printUsage()
		os.Exit(2)
	}
	// Not undone before the end: a build or a start that is under way when the
	// signal comes has children to take along.
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	err := run(ctx, os.Args[1], os.Args[2:])
	switch {
	case errors.Is(err, flag.ErrHelp):
	case isLacking(err):
		fmt.Fprintf(os.Stderr, "cluster: NOT STARTED, this machine cannot run real nodes: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(exitLacking)
	case err != nil:
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command string, args []string) error {
	switch command {
	case "build":
		options, err := parseBuild(args)
		if err != nil {
			return err
		}
		return build(ctx, options)
	case "up":
		options, err := parseUp(args)
		if err != nil {
			return err
		}
		if options.detach {
			return upDetached(ctx, options)
		}
		return up(ctx, options)
	case "down":
		dir, rest, err := parseDir(command, args)
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			return fmt.Errorf("down: unexpected argument %q", rest[0])
		}
		return down(dir)
	case "load":
		dir, archives, err := parseDir(command, args)
		if err != nil {
			return err
		}
		return loadImages(ctx, dir, archives)
	case "check":
		return checkMachine()
	case "packages":
		fmt.Println(strings.Join(missingPackages(), " "))
		return nil
	case "hold":
		if len(args) != 1 {
			return errors.New("hold: needs a folder")
		}
		return hold(args[0])
	case "sweep":
		return sweep(args)
	case "status", "stop", "start", "kill", "pause", "resume":
		dir, rest, err := parseDir(command, args)
		if err != nil {
			return err
		}
		return sendControl(dir, command, rest)
	case "help", "-h", "--help":
		printUsage()
		return nil
	}
	printUsage()
	return fmt.Errorf("no command %q", command)
}

func printUsage() {
	fmt.Fprint(os.Stderr, usage+strings.Join(componentNames, ", ")+"\n")
}
