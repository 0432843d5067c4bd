// Command node is what runs on a real node of the test cluster, in one binary:
// what it is called as (a symlink named kubelet or kube-proxy) or its first
// argument says which one runs.
//
// It is apart from command kubernetes, since only a real node needs it: who
// has no root does not build it.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	name := filepath.Base(os.Args[0])
	if name == "node" && len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	switch name {
	case "kubelet":
		// Not a context of the signal handler: the kubelet installs its own,
		// and panics when it finds one.
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kube-proxy":
		os.Exit(cli.Run(proxy.NewProxyCommand()))
	default:
		fmt.Fprintln(os.Stderr, "usage: node kubelet|kube-proxy [FLAGS]")
		os.Exit(2)
	}
}
