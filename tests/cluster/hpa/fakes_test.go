//go:build differential

package podautoscaler

import (
	"context"
	"errors"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	autoscalingclient "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	scaleclient "k8s.io/client-go/scale"
	custom "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	external "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	usage "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	customclient "k8s.io/metrics/pkg/client/custom_metrics"
	externalclient "k8s.io/metrics/pkg/client/external_metrics"

	usageclient "k8s.io/metrics/pkg/client/clientset/versioned/typed/metrics/v1beta1"
)

// world is what the controller reads and writes.
type world struct {
	scaleclient.ScaleInterface
	autoscalingclient.HorizontalPodAutoscalerInterface
	hpa   *autoscalingv2.HorizontalPodAutoscaler
	scale *autoscalingv1.Scale
	// answers by the name of the metric, which tells its position.
	answers map[string]any
}

var errNoAnswer = errors.New("no answer")

func (w *world) Scales(string) scaleclient.ScaleInterface { return scales{w: w} }

type scales struct {
	scaleclient.ScaleInterface
	w *world
}

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	return s.w.scale.DeepCopy(), nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, scale *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	s.w.scale.Spec.Replicas = scale.Spec.Replicas
	return scale, nil
}

func (s scales) Patch(context.Context, schema.GroupVersionResource, string, types.PatchType, []byte, metav1.PatchOptions) (*autoscalingv1.Scale, error) {
	return nil, errors.New("the controller patches no scale")
}

func (w *world) HorizontalPodAutoscalers(string) autoscalingclient.HorizontalPodAutoscalerInterface {
	return statuses{w: w}
}

type statuses struct {
	autoscalingclient.HorizontalPodAutoscalerInterface
	w *world
}

func (s statuses) UpdateStatus(_ context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, _ metav1.UpdateOptions) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	s.w.hpa.Status = *hpa.Status.DeepCopy()
	return hpa, nil
}

func mapper() meta.RESTMapper {
	apps := schema.GroupVersion{Group: "apps", Version: "v1"}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{apps})
	mapper.Add(apps.WithKind("Deployment"), meta.RESTScopeNamespace)
	return mapper
}

// The three metrics APIs. An External metric, and a resource of the pods, is asked for by name, so each metric of a case has a
// name of its own; the two resources are cpu and memory, once each.

type usages struct {
	usageclient.PodMetricsInterface
	w *world
}

func (w *world) PodMetricses(string) usageclient.PodMetricsInterface { return usages{w: w} }

func (u usages) List(context.Context, metav1.ListOptions) (*usage.PodMetricsList, error) {
	list, ok := u.w.answers["usage"].(*usage.PodMetricsList)
	if !ok {
		return nil, errNoAnswer
	}
	return list.DeepCopy(), nil
}

func (u usages) Watch(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return nil, errors.New("the controller watches no metrics")
}

type customs struct{ w *world }

func (c customs) RootScopedMetrics() customclient.MetricsInterface       { return c }
func (c customs) NamespacedMetrics(string) customclient.MetricsInterface { return c }
func (c customs) GetForObject(_ schema.GroupKind, _, name string, _ labels.Selector) (*custom.MetricValue, error) {
	list, ok := c.w.answers[name].(*custom.MetricValueList)
	if !ok || len(list.Items) != 1 {
		return nil, errNoAnswer
	}
	return &list.Items[0], nil
}

func (c customs) GetForObjects(_ schema.GroupKind, _ labels.Selector, name string, _ labels.Selector) (*custom.MetricValueList, error) {
	list, ok := c.w.answers[name].(*custom.MetricValueList)
	if !ok {
		return nil, errNoAnswer
	}
	return list.DeepCopy(), nil
}

type externals struct{ w *world }

func (e externals) NamespacedMetrics(string) externalclient.MetricsInterface { return e }

func (e externals) List(name string, _ labels.Selector) (*external.ExternalMetricValueList, error) {
	list, ok := e.w.answers[name].(*external.ExternalMetricValueList)
	if !ok {
		return nil, errNoAnswer
	}
	return list.DeepCopy(), nil
}
