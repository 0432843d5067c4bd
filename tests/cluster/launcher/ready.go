package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// eventually repeats a check until it is true. What it last saw goes into the
// error, so that a cluster that does not come up says what is missing.
func eventually(ctx context.Context, what string, check func(context.Context) (bool, error)) error {
	var last error
	for {
		done, err := check(ctx)
		if done {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if last != nil {
				return fmt.Errorf("waiting for %s: %w; last answer: %w", what, ctx.Err(), last)
			}
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// waitForBootstrap waits for what kube-controller-manager needs to start: it
// ends at once without this role binding.
func waitForBootstrap(ctx context.Context, api *client) error {
	return eventually(ctx, "the API server's own roles", func(ctx context.Context) (bool, error) {
		err := api.get(ctx, "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings/"+
			"system::extension-apiserver-authentication-reader", nil)
		return err == nil, err
	})
}

// waitForMetrics waits until the API server reaches metrics-server.
func waitForMetrics(ctx context.Context, api *client) error {
	return eventually(ctx, "APIService v1beta1.metrics.k8s.io", func(ctx context.Context) (bool, error) {
		var answer struct {
			Status struct {
				Conditions []struct{ Type, Status, Message string }
			}
		}
		err := api.get(ctx, "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", &answer)
		if err != nil {
			return false, err
		}
		for _, condition := range answer.Status.Conditions {
			if condition.Type == "Available" {
				return condition.Status == "True", fmt.Errorf("not available: %s", condition.Message)
			}
		}
		return false, nil
	})
}

// provePodsRun starts a Deployment. That its pod becomes Ready takes the API
// server, several controllers, the scheduler and the node: healthy processes alone
// do not prove that they work together.
func provePodsRun(ctx context.Context, api *client, image string) error {
	name := fmt.Sprintf("cluster-check-%d", time.Now().UnixNano())
	namespace := object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name}}
	if err := api.create(ctx, "/api/v1/namespaces", namespace); err != nil {
		return err
	}
	// What follows is gone with the namespace; nobody has to wait for that.
	defer func() {
		_ = api.delete(context.WithoutCancel(ctx), "/api/v1/namespaces/"+name)
	}()

	err := eventually(ctx, "the default service account of a new namespace", func(ctx context.Context) (bool, error) {
		err := api.get(ctx, "/api/v1/namespaces/"+name+"/serviceaccounts/default", nil)
		if isStatus(err, http.StatusNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	labels := object{"app": "check"}
	deployment := object{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": object{"name": "check"},
		"spec": object{
			"replicas": 1,
			"selector": object{"matchLabels": labels},
			"template": object{
				"metadata": object{"labels": labels},
				"spec":     object{"containers": []object{{"name": "check", "image": image}}},
			},
		},
	}
	path := "/apis/apps/v1/namespaces/" + name + "/deployments"
	if err := api.create(ctx, path, deployment); err != nil {
		return err
	}
	return eventually(ctx, "a Deployment's pod to be Ready", func(ctx context.Context) (bool, error) {
		var answer struct{ Status struct{ ReadyReplicas int } }
		err := api.get(ctx, path+"/check", &answer)
		return err == nil && answer.Status.ReadyReplicas == 1, err
	})
}
