package main

import (
	"fmt"
	"path/filepath"
)

const (
	// simulated nodes are kwok's, real ones run containers.
	simulated = "simulated"
	real      = "real"
	// maxRealNodes share one machine: each is a kubelet, a containerd and what its pods take.
	maxRealNodes = 4

	// The addresses of the real nodes' network, which lies on this machine alone.
	nodeNetwork = "10.97.0.0/24"
	hostAddress = "10.97.0.1"
	podRange    = "10.98.0.0/16"
	dnsAddress  = "10.96.0.10"
	// apiPort is where pods and kubelets find the API server at hostAddress.
	apiPort = 6443
)

// realNode is the place of one real node: its names, addresses and folders. What
// happens there is in the files node_*.go.
type realNode struct {
	index int
	paths paths
}

func realNodes(o upOptions) []realNode {
	if o.kind != real {
		return nil
	}
	nodes := make([]realNode, o.nodes)
	for i := range nodes {
		nodes[i] = realNode{index: i, paths: o.paths}
	}
	return nodes
}

func (n realNode) name() string           { return nodeName(n.index) }
func (n realNode) address() string        { return nodeAddress(n.index) }
func (n realNode) pods() string           { return fmt.Sprintf("10.98.%d.0/24", n.index) }
func (n realNode) cgroup() string         { return nodeCgroup(n.index) }
func (n realNode) dir(name string) string { return filepath.Join(n.paths.dir, n.name(), name) }
func (n realNode) part(name string) string {
	return fmt.Sprintf("%s-%d", name, n.index)
}

// containerdSocket is its path in the node's own file system.
const containerdSocket = "/run/containerd/containerd.sock"

func nodeAddress(index int) string { return fmt.Sprintf("10.97.0.%d", 10+index) }

// nodeCgroup is the same for every cluster: only one with real nodes runs on a machine.
func nodeCgroup(index int) string { return fmt.Sprintf("vas-node-%d", index) }
