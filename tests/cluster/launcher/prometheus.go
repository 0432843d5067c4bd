package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// The oldest Prometheus whose answers the tests expect.
const prometheusMajor, prometheusMinor = 2, 40

var prometheusVersion = regexp.MustCompile(`prometheus, version (\d+)\.(\d+)\.`)

// usePrometheusOnPath links an installed Prometheus into the bin directory, if
// it is new enough: building one takes minutes.
func usePrometheusOnPath(ctx context.Context, bin string) bool {
	found, err := exec.LookPath("prometheus")
	if err != nil {
		return false
	}
	if found, err = filepath.Abs(found); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, found, "--version").CombinedOutput()
	if err != nil || !recentPrometheus(string(output)) {
		return false
	}
	if err := link(found, filepath.Join(bin, "prometheus")); err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		return false
	}
	return true
}

func recentPrometheus(versionOutput string) bool {
	match := prometheusVersion.FindStringSubmatch(versionOutput)
	if match == nil {
		return false
	}
	major, err := strconv.Atoi(match[1])
	if err != nil {
		return false
	}
	minor, err := strconv.Atoi(match[2])
	if err != nil {
		return false
	}
	return major > prometheusMajor || major == prometheusMajor && minor >= prometheusMinor
}
