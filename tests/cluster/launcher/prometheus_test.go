package main

import "testing"

func TestOnlyARecentPrometheusIsTaken(t *testing.T) {
	for output, want := range map[string]bool{
		"prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5+b5)": true,
		"prometheus, version 3.5.0 (branch: HEAD, revision: 8be3a95)":                  true,
		"prometheus, version 2.40.0 (branch: HEAD, revision: 0)":                       true,
		"prometheus, version 2.39.1 (branch: HEAD, revision: 0)":                       false,
		"prometheus, version 1.99.0 (branch: HEAD, revision: 0)":                       false,
		"prometheus, version  (branch: , revision: unknown)":                           false,
		"": false,
	} {
		if got := recentPrometheus(output); got != want {
			t.Errorf("%q: got %v", output, got)
		}
	}
}
