// The launcher copies the CRD out of this module, and builds its programs by
// their paths. No package here imports them, so `go mod tidy` would drop the
// line that names the version.
module vas.test/cluster/tools/vpa

go 1.26.0

require k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1
