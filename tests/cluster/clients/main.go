// Command metrics-clients reads metrics and discovery with the libraries that
// Kubernetes itself uses, set up as kube-controller-manager sets them up, and
// prints what they made of the answers as JSON. Tests run it: what it cannot
// read, the HPA cannot read either.
//
// It is a package of the module that builds Kubernetes, so its libraries are
// always those of the Kubernetes under test.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/metrics/pkg/client/custom_metrics"
	"k8s.io/metrics/pkg/client/external_metrics"
)

const usage = `usage: metrics-clients [FLAGS] COMMAND

  discovery                           all groups and resources, as helm and kubectl ask for them
  pods      NAMESPACE METRIC          of the pods that --selector selects
  object    NAMESPACE KIND NAME METRIC     KIND is Kind.group, such as Deployment.apps
  namespace NAMESPACE METRIC          of the namespace itself
  external  NAMESPACE METRIC          from external.metrics.k8s.io
`

type options struct {
	kubeconfig, version, selector, metricSelector string
	legacy                                        bool
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "file of the cluster (required)")
	flag.StringVar(&o.version, "version", "", "version of custom.metrics.k8s.io; empty for the preferred one, as the HPA controller takes it")
	flag.StringVar(&o.selector, "selector", "", "labels of the pods")
	flag.StringVar(&o.metricSelector, "metric-selector", "", "labels of the metric")
	flag.BoolVar(&o.legacy, "legacy", false, "one discovery request for each version, without the aggregated form")
	flag.Usage = func() {
		fmt.Fprint(os.Stderr, usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	answer, err := run(o, flag.Args())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(o options, args []string) (any, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, err
	}
	// What --kube-api-content-type of kube-controller-manager is by default:
	// JSON is then taken only because of the */* that client-go adds.
	config.ContentType = runtime.ContentTypeProtobuf
	metricSelector, err := labels.Parse(o.metricSelector)
	if err != nil {
		return nil, err
	}
	is := func(command string, arguments int) bool {
		return len(args) == arguments+1 && args[0] == command
	}
	switch {
	case is("discovery", 0):
		return discover(config, o.legacy)
	case is("external", 2):
		client, err := external_metrics.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		return client.NamespacedMetrics(args[1]).List(args[2], metricSelector)
	}
	client, err := customMetrics(config, o.version)
	if err != nil {
		return nil, err
	}
	switch {
	case is("pods", 2):
		pods, err := labels.Parse(o.selector)
		if err != nil {
			return nil, err
		}
		return client.NamespacedMetrics(args[1]).GetForObjects(schema.GroupKind{Kind: "Pod"}, pods, args[2], metricSelector)
	case is("object", 4):
		kind := schema.ParseGroupKind(args[2])
		return client.NamespacedMetrics(args[1]).GetForObject(kind, args[3], args[4], metricSelector)
	case is("namespace", 2):
		return client.RootScopedMetrics().GetForObject(schema.GroupKind{Kind: "Namespace"}, args[1], args[2], metricSelector)
	}
	flag.Usage()
	return nil, errors.New("no such command")
}

// customMetrics is a client of one version, or of the preferred one.
func customMetrics(config *rest.Config, version string) (custom_metrics.CustomMetricsClient, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	if version == "" {
		return custom_metrics.NewForConfig(config, mapper, custom_metrics.NewAvailableAPIsGetter(client)), nil
	}
	return custom_metrics.NewForVersionForConfig(config, mapper, schema.GroupVersion{Group: "custom.metrics.k8s.io", Version: version})
}

// discover fails if any group fails: this is what stops helm, and what holds
// back the deletion of a namespace.
func discover(config *rest.Config, legacy bool) (any, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	client.UseLegacyDiscovery = legacy
	groups, resources, err := client.ServerGroupsAndResources()
	return map[string]any{"groups": groups, "resources": resources}, err
}
