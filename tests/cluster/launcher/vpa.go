package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const vpaModule = "k8s.io/autoscaler/vertical-pod-autoscaler"

// writeVPA copies the CRD that the VPA project ships, taken from its Go module
// (tools/vpa/go.mod has the version), to vpa-crd.yaml in the bin directory.
func writeVPA(ctx context.Context, o buildOptions) error {
	dir := filepath.Join(o.source, "tools", "vpa")
	path := filepath.Join(o.bin, "vpa-crd.yaml")
	stamp := filepath.Join(o.bin, ".built", "vpa-crd")
	wanted, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		return err
	}
	if built, err := os.ReadFile(stamp); err == nil && string(built) == string(wanted) {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	var stderr strings.Builder
	download := goCommand(ctx, dir, "mod", "download", "-json", vpaModule)
	download.Stderr = &stderr
	output, err := download.Output()
	if err != nil {
		return fmt.Errorf("VPA's CRD: %w: %s%s", err, stderr.String(), output)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		return fmt.Errorf("VPA's CRD: %w", err)
	}
	content, err := os.ReadFile(filepath.Join(module.Dir, "deploy", "vpa-v1-crd-gen.yaml"))
	if err != nil {
		return fmt.Errorf("VPA's CRD: %w", err)
	}
	if err := writeFile(path, content, public); err != nil {
		return err
	}
	return writeFile(stamp, wanted, public)
}
