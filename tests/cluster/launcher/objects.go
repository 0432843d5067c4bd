package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
)

const (
	// fakeNode marks the nodes that kwok plays.
	fakeNode = "kwok.x-k8s.io/node"
	// maxNodes is how many /16 ranges for pods fit where they are taken from.
	maxNodes = 100
)

type object = map[string]any

// createNodes makes the simulated nodes, or brings those of an earlier run up
// to date: kwok's port, where metrics-server asks for usage, may be another.
func createNodes(ctx context.Context, api *client, count, kwokPort int) error {
	for i := range count {
		name := nodeName(i)
		node := object{
			"apiVersion": "v1", "kind": "Node",
			"metadata": object{
				"name": name,
				"annotations": object{
					fakeNode:                               "fake",
					"metrics.k8s.io/resource-metrics-path": "/metrics/nodes/" + name + "/metrics/resource",
				},
				"labels": object{
					"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
					// For topology spread constraints: every node is a zone.
					"topology.kubernetes.io/zone": fmt.Sprintf("zone-%d", i),
				},
			},
			"spec": object{"podCIDR": fmt.Sprintf("10.%d.0.0/16", 100+i)},
		}
		path := "/api/v1/nodes/" + name
		if err := api.apply(ctx, path, node); err != nil {
			return err
		}
		// Large enough that scheduling is never what limits a test.
		resources := object{"cpu": "1000", "memory": "4Ti", "ephemeral-storage": "4Ti", "pods": "5000"}
		status := object{
			"apiVersion": "v1", "kind": "Node",
			"metadata": object{"name": name},
			"status": object{
				"capacity": resources, "allocatable": resources,
				"addresses": []object{
					{"type": "InternalIP", "address": "127.0.0.1"},
					{"type": "Hostname", "address": name},
				},
				"daemonEndpoints": object{"kubeletEndpoint": object{"Port": kwokPort}},
			},
		}
		if err := api.apply(ctx, path+"/status", status); err != nil {
			return err
		}
	}
	return nil
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i) }

func deleteNodeLeases(ctx context.Context, api *client, count int) error {
	for i := range count {
		err := api.delete(ctx, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/"+nodeName(i))
		if err != nil && !isStatus(err, http.StatusNotFound) {
			return err
		}
	}
	return nil
}

// registerMetricsServer puts the metrics-server process on this machine behind
// metrics.k8s.io. An ExternalName Service leads the API server to it, which
// needs no pod and no endpoint.
func registerMetricsServer(ctx context.Context, api *client, p paths, port int) error {
	ca, err := os.ReadFile(p.pki("ca.crt"))
	if err != nil {
		return err
	}
	service := object{
		"apiVersion": "v1", "kind": "Service",
		"metadata": object{"name": "metrics-server", "namespace": "kube-system"},
		"spec": object{
			"type": "ExternalName", "externalName": "localhost",
			"ports": []object{{"name": "https", "port": port, "protocol": "TCP"}},
		},
	}
	if err := api.apply(ctx, "/api/v1/namespaces/kube-system/services/metrics-server", service); err != nil {
		return err
	}
	apiService := object{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": object{"name": "v1beta1.metrics.k8s.io"},
		"spec": object{
			"group": "metrics.k8s.io", "version": "v1beta1",
			"groupPriorityMinimum": 100, "versionPriority": 100,
			"caBundle": ca, // encoding/json writes bytes as base64
			"service":  object{"name": "metrics-server", "namespace": "kube-system", "port": port},
		},
	}
	return api.apply(ctx, "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", apiService)
}
