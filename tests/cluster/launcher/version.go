package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

const kubernetesModule = "k8s.io/kubernetes"

var releaseVersion = regexp.MustCompile(`^v1\.(\d+)\.(\d+)$`)

// kubernetesVersion reads the version from go.mod, the one place that has it.
func kubernetesVersion(goMod string) (string, error) {
	content, err := os.ReadFile(goMod)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(words) >= 2 && words[0] == kubernetesModule {
			if !releaseVersion.MatchString(words[1]) {
				return "", fmt.Errorf("%s: %s %s is not a release", goMod, kubernetesModule, words[1])
			}
			return words[1], nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", goMod, kubernetesModule)
}

// stagingVersion is what Kubernetes' staging modules of a release are called:
// k8s.io/api v0.37.2 belongs to Kubernetes v1.37.2.
func stagingVersion(version string) string {
	return "v0." + strings.TrimPrefix(version, "v1.")
}

// versionFlags make the binaries report the version: clients ask the API
// server for it, and kubectl prints it.
func versionFlags(version string) string {
	const module = "k8s.io/component-base/version"
	minor := releaseVersion.FindStringSubmatch(version)[1]
	return fmt.Sprintf("-X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=1 -X %[1]s.gitMinor=%[3]s"+
		" -X k8s.io/client-go/pkg/version.gitVersion=%[2]s", // for the user agent in the audit log
		module, version, minor)
}
