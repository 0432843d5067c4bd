package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// cluster is a running control plane.
type cluster struct {
	mu sync.Mutex
	// names in the order in which the parts started; real nodes add theirs.
	names []string
	parts map[string]*supervised
	// quit ends it, as a signal does.
	quit context.CancelFunc
	// holders are the first processes of the real nodes, and swept removes what those leave.
	holders []*process
	swept   func()
	// only keeps other clusters with real nodes from this machine until the process ends.
	only io.Closer
	// life ends when the cluster does.
	life context.Context
}

// up runs a cluster until the context ends (a signal), `cluster down` or the end of the parent.
func up(ctx context.Context, o upOptions) error {
	report, err := newReport()
	if err != nil {
		return err
	}
	if o.kind == real {
		if err := checkMachine(); err != nil {
			return err
		}
	}
	if err := ensureBuilt(ctx, o.build); err != nil {
		return err
	}
	if err := o.paths.create(); err != nil {
		return err
	}
	lock, err := tryLock(o.paths.lock())
	if err != nil {
		return err
	}
	if lock == nil {
		return fmt.Errorf("a cluster runs in %s already", o.paths.dir)
	}
	defer lock.Close()
	if err := writeFile(o.paths.pid(), []byte(strconv.Itoa(os.Getpid())+"\n"), private); err != nil {
		return err
	}
	defer os.Remove(o.paths.pid())

	ctx, quit := context.WithCancel(ctx)
	defer quit()
	if !report.detached {
		go watchParent(ctx, o.exitWithParent, quit)
	}
	c, ports, api, err := prepare(o, report.say)
	if err != nil {
		return err
	}
	c.quit, c.life = quit, ctx
	closeControl, err := c.serveControl(ctx, o.paths)
	if err != nil {
		return err
	}
	defer closeControl()
	defer c.shutdown()

	starting, cancel := context.WithTimeout(ctx, o.timeout)
	err = c.start(starting, o, ports, api, report.say)
	cancel()
	if ctx.Err() != nil {
		return errors.New("stopped while starting")
	}
	if err != nil {
		return err
	}
	report.say("ready")
	if err := report.ready(o.paths); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// prepare writes all files that the components read.
func prepare(o upOptions, say func(string, ...any)) (*cluster, map[string]int, *client, error) {
	ports, err := choosePorts(o.paths.ports())
	if err != nil {
		return nil, nil, nil, err
	}
	if err := ensurePKI(o.paths); err != nil {
		return nil, nil, nil, err
	}
	if err := writeKubeconfigs(o.paths, ports["kube-apiserver"]); err != nil {
		return nil, nil, nil, err
	}
	if err := writeConfig(o.paths); err != nil {
		return nil, nil, nil, err
	}
	api, err := newClient(o.paths, ports["kube-apiserver"])
	if err != nil {
		return nil, nil, nil, err
	}
	startSpawner()
	c := &cluster{parts: map[string]*supervised{}}
	for _, part := range components(o, ports, api) {
		c.add(supervise(part, o.paths, o.build.bin, say))
	}
	return c, ports, api, nil
}

func (c *cluster) add(part *supervised) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, part.name)
	c.parts[part.name] = part
}

func (c *cluster) part(name string) (*supervised, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	part, ok := c.parts[name]
	return part, ok
}

// all are the names of the parts so far.
func (c *cluster) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.names)
}

// start brings the components up in order and proves that they work together.
func (c *cluster) start(ctx context.Context, o upOptions, ports map[string]int, api *client, say func(string, ...any)) error {
	for _, name := range storage {
		say("starting %s", name)
		if err := c.startAll(ctx, []string{name}); err != nil {
			return err
		}
	}
	if err := waitForBootstrap(ctx, api); err != nil {
		return err
	}
	if o.kind == simulated {
		if err := createNodes(ctx, api, o.nodes, ports["kwok"]); err != nil {
			return fmt.Errorf("nodes: %w", err)
		}
		if err := registerMetricsServer(ctx, api, o.paths, ports["metrics-server"]); err != nil {
			return fmt.Errorf("metrics-server's APIService: %w", err)
		}
	}
	rest := c.all()[len(storage):]
	say("starting %s", rest)
	if err := c.startAll(ctx, rest); err != nil {
		return err
	}
	if o.kind == real {
		if err := c.startRealNodes(ctx, o, ports, api, say); err != nil {
			return err
		}
	}
	say("checking that a Deployment's pod becomes Ready")
	if err := provePodsRun(ctx, api, o.image("pause")); err != nil {
		return err
	}
	say("checking that metrics.k8s.io is served")
	return waitForMetrics(ctx, api)
}

// startAll starts parts at the same time and waits until all are ready.
func (c *cluster) startAll(ctx context.Context, names []string) error {
	failures := make(chan error)
	for _, name := range names {
		part, _ := c.part(name)
		go func() { failures <- part.start(ctx) }()
	}
	var all []error
	for range names {
		all = append(all, <-failures)
	}
	return errors.Join(all...)
}

// shutdown stops everything: the clients of the API server first, then the API
// server, then etcd. The API server waits for a minute when etcd goes first.
func (c *cluster) shutdown() {
	var clients sync.WaitGroup
	for _, name := range c.all()[len(storage):] {
		part, _ := c.part(name)
		// Not WaitGroup.Go: older releases of Kubernetes bring an older language with them.
		clients.Add(1)
		go func() {
			defer clients.Done()
			part.end(3 * time.Second)
		}()
	}
	clients.Wait()
	for _, name := range slices.Backward(storage) {
		part, _ := c.part(name)
		part.end(4 * time.Second)
	}
	for _, holder := range c.holders {
		holder.kill()
	}
	if c.swept != nil {
		c.swept()
	}
}

// watchParent ends the cluster with the process that started it. Polling, not
// a parent-death signal: that one comes when the starting THREAD ends, and a
// test harness may well start the cluster from a short-lived one.
func watchParent(ctx context.Context, watchInput bool, quit context.CancelFunc) {
	if watchInput {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			quit()
		}()
	}
	parent := os.Getppid()
	for ctx.Err() == nil {
		if os.Getppid() != parent {
			quit()
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}
