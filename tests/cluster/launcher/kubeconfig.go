package main

import (
	"encoding/base64"
	"fmt"
	"os"
)

const kubeconfigFormat = `apiVersion: v1
kind: Config
current-context: vas
contexts:
- name: vas
  context:
    cluster: vas
    user: %[1]s
clusters:
- name: vas
  cluster:
    server: https://%[2]s
    certificate-authority-data: %[3]s
users:
- name: %[1]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
`

// writeKubeconfig gives the holder of a client certificate its kubeconfig. All
// key material is in the file, so that it can be copied elsewhere.
func writeKubeconfig(p paths, path, certificate, address string) error {
	var encoded [3]any
	for i, name := range []string{"ca.crt", certificate + ".crt", certificate + ".key"} {
		content, err := os.ReadFile(p.pki(name))
		if err != nil {
			return err
		}
		encoded[i] = base64.StdEncoding.EncodeToString(content)
	}
	text := fmt.Sprintf(kubeconfigFormat, certificate, address, encoded[0], encoded[1], encoded[2])
	return writeFile(path, []byte(text), private)
}

// writeKubeconfigs writes the administrator's and one for each component.
func writeKubeconfigs(p paths, port int) error {
	for path, certificate := range map[string]string{
		p.kubeconfig(): "admin",
		p.config("kube-controller-manager.kubeconfig"): "kube-controller-manager",
		p.config("kube-scheduler.kubeconfig"):          "kube-scheduler",
		p.config("kwok.kubeconfig"):                    "kwok-client",
		p.config("metrics-server.kubeconfig"):          "metrics-server-client",
	} {
		if err := writeKubeconfig(p, path, certificate, fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
			return fmt.Errorf("kubeconfig of %s: %w", certificate, err)
		}
	}
	return nil
}
