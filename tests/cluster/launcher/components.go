package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"
)

const (
	serviceRange   = "10.96.0.0/16"
	firstServiceIP = "10.96.0.1"
)

// storage are the two that start first and stop last.
var storage = []string{"etcd", "kube-apiserver"}

// componentNames are those of a cluster with simulated nodes.
var componentNames = append(slices.Clone(storage), "kube-controller-manager", "kube-scheduler", "kwok", "metrics-server")

// components are the programs of a cluster and their arguments, in the order in
// which they start; they stop in reverse. What runs on real nodes comes later.
func components(o upOptions, ports map[string]int, api *client) []component {
	all := []component{
		etcd(o.paths, ports),
		apiserver(o, ports, api),
		controllerManager(o, ports, api),
		scheduler(o.paths, ports),
	}
	if o.kind == real {
		return all
	}
	return append(all, kwok(o, ports, api), metricsServer(o.paths, ports))
}

func etcd(p paths, ports map[string]int) component {
	clients := fmt.Sprintf("http://127.0.0.1:%d", ports["etcd"])
	peers := fmt.Sprintf("http://127.0.0.1:%d", ports["etcd-peer"])
	return component{
		name: "etcd",
		args: []string{
			"--name=default",
			"--data-dir=" + p.etcd(),
			"--listen-client-urls=" + clients,
			"--advertise-client-urls=" + clients,
			"--listen-peer-urls=" + peers,
			"--initial-advertise-peer-urls=" + peers,
			"--initial-cluster=default=" + peers,
			// Survives the end of the process, kill -9 included, which is all
			// that a test can do to it; a power failure is none of its cases.
			"--unsafe-no-fsync",
			"--log-level=warn",
		},
		ready: func(ctx context.Context) error {
			return get(ctx, plainHTTP, clients+"/health")
		},
	}
}

func apiserver(o upOptions, ports map[string]int, api *client) component {
	p := o.paths
	args := []string{
		"--etcd-servers=" + fmt.Sprintf("http://127.0.0.1:%d", ports["etcd"]),
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports["kube-apiserver"]),
		// Said outright: it would look for the machine's default route
		// otherwise, and fail where there is none.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceRange,
		"--authorization-mode=Node,RBAC",
		"--tls-cert-file=" + p.pki("kube-apiserver.crt"),
		"--tls-private-key-file=" + p.pki("kube-apiserver.key"),
		"--client-ca-file=" + p.pki("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + p.pki("service-account.pub"),
		"--service-account-signing-key-file=" + p.pki("service-account.key"),
		// Without these there is no aggregation of custom.metrics.k8s.io.
		"--requestheader-client-ca-file=" + p.pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + p.pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + p.pki("front-proxy-client.key"),
		"--audit-policy-file=" + p.config("audit-policy.yaml"),
		"--audit-log-path=" + p.audit(),
		// Tests read the log by offset: it must not be rotated under them.
		"--audit-log-maxsize=4096",
	}
	if o.kind == real {
		args = append(args,
			"--kubelet-client-certificate="+p.pki("kubelet-reader.crt"),
			"--kubelet-client-key="+p.pki("kubelet-reader.key"),
			"--kubelet-certificate-authority="+p.pki("ca.crt"),
			"--kubelet-preferred-address-types=InternalIP")
	}
	return component{
		name: "kube-apiserver",
		args: append(args, o.apiserverFlags...),
		ready: func(ctx context.Context) error {
			return api.get(ctx, "/readyz", nil)
		},
	}
}

func controllerManager(o upOptions, ports map[string]int, api *client) component {
	p := o.paths
	kubeconfig := p.config("kube-controller-manager.kubeconfig")
	args := []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports["kube-controller-manager"]),
		"--leader-elect=false",
		// The HPA controller and the others get an identity each, so that the
		// audit log says which of them wrote.
		"--use-service-account-credentials=true",
		"--root-ca-file=" + p.pki("ca.crt"),
		"--service-account-private-key-file=" + p.pki("service-account.key"),
		"--cluster-signing-cert-file=" + p.pki("ca.crt"),
		"--cluster-signing-key-file=" + p.pki("ca.key"),
		// Tests stop the API server for longer than a node may be silent in a
		// normal cluster; the nodes are not what fails then.
		"--node-monitor-grace-period=5m",
		// The default of 20 requests a second is for a server that others need
		// too; with 200 HPAs it would be the test's bottleneck.
		"--kube-api-qps=300",
		"--kube-api-burst=600",
		"--horizontal-pod-autoscaler-sync-period=" + o.hpaSync.String(),
		"--horizontal-pod-autoscaler-cpu-initialization-period=10s",
		"--horizontal-pod-autoscaler-initial-readiness-delay=5s",
		"--horizontal-pod-autoscaler-downscale-stabilization=5m",
	}
	return component{
		name: "kube-controller-manager",
		// The later of two equal flags wins, so these override the above.
		args:  append(args, o.managerFlags...),
		ready: healthz(ports["kube-controller-manager"]),
	}
}

func scheduler(p paths, ports map[string]int) component {
	kubeconfig := p.config("kube-scheduler.kubeconfig")
	return component{
		name: "kube-scheduler",
		args: []string{
			"--kubeconfig=" + kubeconfig,
			"--authentication-kubeconfig=" + kubeconfig,
			"--authorization-kubeconfig=" + kubeconfig,
			"--bind-address=127.0.0.1",
			"--secure-port=" + strconv.Itoa(ports["kube-scheduler"]),
			"--leader-elect=false",
			"--kube-api-qps=300",
			"--kube-api-burst=600",
		},
		ready: healthz(ports["kube-scheduler"]),
	}
}

func kwok(o upOptions, ports map[string]int, api *client) component {
	p := o.paths
	port := strconv.Itoa(ports["kwok"])
	return component{
		name: "kwok",
		args: []string{
			"--kubeconfig=" + p.config("kwok.kubeconfig"),
			"--config=" + p.config("kwok.yaml"),
			// Not all nodes: a real one may stand beside them some day.
			"--manage-all-nodes=false",
			"--manage-nodes-with-annotation-selector=" + fakeNode + "=fake",
			"--node-lease-duration-seconds=20",
			"--node-ip=127.0.0.1",
			"--node-port=" + port,
			"--server-address=" + net.JoinHostPort("127.0.0.1", port),
			"--tls-cert-file=" + p.pki("kwok.crt"),
			"--tls-private-key-file=" + p.pki("kwok.key"),
		},
		// Every run of kwok has an identity of its own, and would wait until the
		// leases of the run before it have expired, its pods meanwhile Pending.
		before: func(ctx context.Context) error {
			return deleteNodeLeases(ctx, api, o.nodes)
		},
		ready: healthz(ports["kwok"]),
	}
}

func metricsServer(p paths, ports map[string]int) component {
	kubeconfig := p.config("metrics-server.kubeconfig")
	return component{
		name: "metrics-server",
		args: []string{
			"--kubeconfig=" + kubeconfig,
			"--authentication-kubeconfig=" + kubeconfig,
			"--authorization-kubeconfig=" + kubeconfig,
			"--bind-address=127.0.0.1",
			"--secure-port=" + strconv.Itoa(ports["metrics-server"]),
			"--tls-cert-file=" + p.pki("metrics-server.crt"),
			"--tls-private-key-file=" + p.pki("metrics-server.key"),
			"--kubelet-use-node-status-port",
			"--kubelet-preferred-address-types=InternalIP",
			"--kubelet-certificate-authority=" + p.pki("ca.crt"),
			"--metric-resolution=" + metricResolution.String(),
			"--kubelet-request-timeout=5s",
		},
		// Its /readyz waits for two rounds of metrics; that it serves is enough
		// here, the APIService is checked at the end.
		ready: func(ctx context.Context) error {
			return get(ctx, insecureHTTP, fmt.Sprintf("https://127.0.0.1:%d/livez", ports["metrics-server"]))
		},
	}
}

// metricResolution is the shortest that metrics-server accepts.
const metricResolution = 10 * time.Second

// healthz asks a component on this machine; these have certificates of their
// own making, and nothing secret is sent.
func healthz(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		return get(ctx, insecureHTTP, fmt.Sprintf("https://127.0.0.1:%d/healthz", port))
	}
}
