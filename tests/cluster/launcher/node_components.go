package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"time"
)

// nodeComponents are the programs of one real node, in the order in which they start.
func nodeComponents(n realNode, bin string, holder *process, inside chan func(), api *client) ([]component, error) {
	containerd, err := exec.LookPath("containerd")
	if err != nil {
		return nil, err
	}
	return []component{
		{
			name:    n.part("containerd"),
			program: containerd,
			inside:  inside,
			args:    []string{"--config", n.dir("containerd.toml")},
			ready: func(ctx context.Context) error {
				connection, err := (&net.Dialer{}).DialContext(ctx, "unix", rootOf(holder)+containerdSocket)
				if err != nil {
					return err
				}
				return connection.Close()
			},
		},
		{
			name:    n.part("kubelet"),
			program: filepath.Join(bin, "kubelet"),
			inside:  inside,
			args: []string{
				"--config=" + n.dir("kubelet.yaml"),
				"--kubeconfig=" + n.dir("kubelet.kubeconfig"),
				"--hostname-override=" + n.name(),
				"--node-ip=" + n.address(),
				// Every node is a zone, as simulated ones are.
				fmt.Sprintf("--node-labels=topology.kubernetes.io/zone=zone-%d", n.index),
			},
			ready: func(ctx context.Context) error {
				if err := get(ctx, plainHTTP, fmt.Sprintf("http://%s:10248/healthz", n.address())); err != nil {
					return err
				}
				return nodeReady(ctx, api, n.name())
			},
		},
		{
			name:    n.part("kube-proxy"),
			program: filepath.Join(bin, "kube-proxy"),
			inside:  inside,
			args:    []string{"--config=" + n.dir("kube-proxy.yaml")},
			ready: func(ctx context.Context) error {
				return get(ctx, plainHTTP, fmt.Sprintf("http://%s:10256/livez", n.address()))
			},
		},
	}, nil
}

// nodeReady is nil when the node says so itself, lately.
func nodeReady(ctx context.Context, api *client, name string) error {
	var node struct {
		Status struct {
			Conditions []struct {
				Type, Status, Message string
				LastHeartbeatTime     time.Time
			}
		}
	}
	if err := api.get(ctx, "/api/v1/nodes/"+name, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" {
			if condition.Status == "True" {
				return nil
			}
			return fmt.Errorf("%s is not Ready: %s", name, condition.Message)
		}
	}
	return fmt.Errorf("%s does not say whether it is Ready", name)
}
