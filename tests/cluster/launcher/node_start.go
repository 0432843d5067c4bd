package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// startRealNodes makes the nodes' namespaces and network, starts their programs
// and installs what every cluster has: names and metrics.
func (c *cluster) startRealNodes(ctx context.Context, o upOptions, ports map[string]int, api *client, say func(string, ...any)) error {
	nodes := realNodes(o)
	var err error
	if c.only, err = onlyOne(ctx); err != nil {
		return err
	}
	if err := removeLink(); err != nil {
		return err
	}
	var names []string
	for _, n := range nodes {
		names = append(names, n.cgroup())
	}
	// What a launcher left that was killed together with its sweeper.
	if err := removeCgroups(names); err != nil {
		return fmt.Errorf("left by an earlier run: %w", err)
	}
	if c.swept, err = startSweeper(nodes); err != nil {
		return err
	}
	say("making the namespaces and the network of %d nodes", len(nodes))
	for _, n := range nodes {
		if err := makeCgroups(n.cgroup()); err != nil {
			return err
		}
		if err := writeNodeConfig(n, o.image("pause")); err != nil {
			return err
		}
		holder, err := startHolder(ctx, n)
		if err != nil {
			return err
		}
		c.holders = append(c.holders, holder)
		go c.endWith(n, holder, say)
	}
	if err := connectNodes(ctx, nodes, c.holders); err != nil {
		return err
	}
	if err := forwardAPI(c.life, ports["kube-apiserver"]); err != nil {
		return err
	}
	if err := applyNodeObjects(ctx, o, api); err != nil {
		return err
	}
	archives, err := systemImages(o)
	if err != nil {
		return err
	}
	say("starting containerd, kubelet and kube-proxy on each")
	started := make(chan error)
	for i, n := range nodes {
		go func() { started <- c.startNode(ctx, o, n, c.holders[i], api, archives, say) }()
	}
	var failed []error
	for range nodes {
		failed = append(failed, <-started)
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	say("nodes are Ready; waiting for CoreDNS and metrics-server")
	for _, name := range []string{"coredns", "metrics-server"} {
		if err := waitDeployment(ctx, api, "kube-system", name); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) startNode(ctx context.Context, o upOptions, n realNode, holder *process, api *client, archives []string, say func(string, ...any)) error {
	inside, err := enter(holder)
	if err != nil {
		return err
	}
	all, err := nodeComponents(n, o.build.bin, holder, inside, api)
	if err != nil {
		return err
	}
	for i, part := range all {
		supervised := supervise(part, o.paths, o.build.bin, say)
		c.add(supervised)
		if err := supervised.start(ctx); err != nil {
			return err
		}
		if i == 0 {
			if err := importImages(ctx, holder, archives); err != nil {
				return err
			}
		}
	}
	return nil
}

// endWith ends the cluster when a node's first process ends, and with it the node.
func (c *cluster) endWith(n realNode, holder *process, say func(string, ...any)) {
	<-holder.ended
	if c.life.Err() == nil {
		say("%s ended by itself (%s); see %s", n.name(), holder.state, n.paths.log(n.name()))
		c.quit()
	}
}

// load is `cluster load`: absolute paths of archives into every node.
func (c *cluster) load(ctx context.Context, archives []string) error {
	if len(c.holders) == 0 {
		return errors.New("only real nodes have images: start the cluster with --node real")
	}
	for _, holder := range c.holders {
		if err := importImages(ctx, holder, archives); err != nil {
			return err
		}
	}
	return nil
}

func importImages(ctx context.Context, holder *process, archives []string) error {
	for _, archive := range archives {
		command := exec.CommandContext(ctx, "ctr", "--address", rootOf(holder)+containerdSocket,
			"--namespace", "k8s.io", "images", "import", archive)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("image %s: %w: %s", filepath.Base(archive), err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}
