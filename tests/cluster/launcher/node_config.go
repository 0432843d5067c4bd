package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	text "text/template"
)

// writeNodeConfig writes what the programs of a real node read, to its folder.
func writeNodeConfig(n realNode, pause string) error {
	plugins, err := cniFolder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.dir("net.d"), 0o700); err != nil {
		return err
	}
	values := map[string]string{
		"Name": n.name(), "Cgroup": n.cgroup(), "Pods": n.pods(), "PodRange": podRange, "DNS": dnsAddress,
		"Dir": n.dir(""), "PKI": strings.TrimSuffix(n.paths.pki(""), "/"), "Socket": containerdSocket,
		"Plugins": plugins, "Pause": pause,
	}
	for source, target := range map[string]string{
		"containerd.toml": "containerd.toml", "cni.json": "net.d/10-pods.conflist",
		"kubelet.yaml": "kubelet.yaml", "kube-proxy.yaml": "kube-proxy.yaml",
	} {
		content, err := rendered(source, values)
		if err != nil {
			return err
		}
		if err := writeFile(n.dir(target), []byte(content), private); err != nil {
			return err
		}
	}
	// No server outside: pods of a test must not depend on the machine's network.
	if err := writeFile(n.dir("resolv.conf"), nil, public); err != nil {
		return err
	}
	api := net.JoinHostPort(hostAddress, strconv.Itoa(apiPort))
	for name, certificate := range map[string]string{"kubelet": n.name() + "-client", "kube-proxy": "kube-proxy"} {
		if err := writeKubeconfig(n.paths, n.dir(name+".kubeconfig"), certificate, api); err != nil {
			return fmt.Errorf("kubeconfig of %s: %w", name, err)
		}
	}
	return nil
}

// rendered is a file of config/ with values in it. A value it names and nobody gives is an error.
func rendered(name string, values map[string]string) (string, error) {
	content, err := configFiles.ReadFile("config/" + name)
	if err != nil {
		return "", err
	}
	parsed, err := text.New(name).Option("missingkey=error").Parse(string(content))
	if err != nil {
		return "", err
	}
	var filled strings.Builder
	if err := parsed.Execute(&filled, values); err != nil {
		return "", err
	}
	return filled.String(), nil
}
