// Nothing is compiled here: the launcher copies the CRD out of this module.
// `go mod tidy` would therefore drop the line that names its version.
module vas.test/cluster/tools/vpa

go 1.26.0

require k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1
