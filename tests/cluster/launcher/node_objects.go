package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// applyNodeObjects installs what pods of every cluster need: the way to the API server, names and metrics.
func applyNodeObjects(ctx context.Context, o upOptions, api *client) error {
	values := map[string]string{
		"Host": hostAddress, "Port": strconv.Itoa(apiPort), "DNS": dnsAddress,
		"CoreDNS": o.image("coredns"), "MetricsServer": o.image("metrics-server"),
	}
	err := eventually(ctx, "Service kubernetes", func(ctx context.Context) (bool, error) {
		err := api.get(ctx, "/api/v1/namespaces/default/services/kubernetes", nil)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	for _, name := range []string{"kubernetes-endpoint.yaml", "dns.yaml", "metrics-server.yaml"} {
		text, err := rendered(name, values)
		if err != nil {
			return err
		}
		apply := exec.CommandContext(ctx, filepath.Join(o.build.bin, "kubectl"), "--kubeconfig", o.paths.kubeconfig(),
			"apply", "--server-side", "--force-conflicts", "--field-manager=cluster-launcher", "-f", "-")
		apply.Stdin = strings.NewReader(text)
		if output, err := apply.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}

func waitDeployment(ctx context.Context, api *client, namespace, name string) error {
	return eventually(ctx, "Deployment "+name, func(ctx context.Context) (bool, error) {
		var answer struct{ Status struct{ ReadyReplicas int } }
		err := api.get(ctx, "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, &answer)
		return err == nil && answer.Status.ReadyReplicas > 0, err
	})
}
