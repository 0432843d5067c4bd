//go:build differential

package podautoscaler

import (
	"fmt"
	"math/rand/v2"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	custom "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	external "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	usage "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// dice makes random objects.
type dice struct{ *rand.Rand }

func (d dice) often(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func ptr[T any](value T) *T { return &value }

func (d dice) quantity(texts ...string) *resource.Quantity {
	return ptr(resource.MustParse(pick(d, texts...)))
}

func (d dice) metric(position int) autoscalingv2.MetricSpec {
	name := autoscalingv2.MetricIdentifier{Name: fmt.Sprintf("m%d", position)}
	average := autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: d.quantity("100", "50", "100m", "30", "7")}
	value := autoscalingv2.MetricTarget{Type: autoscalingv2.ValueMetricType, Value: d.quantity("100", "60", "1", "250m")}
	either := pick(d, average, value)
	ofPods := pick(d,
		autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr(pick[int32](d, 50, 70, 80, 100, 150))},
		autoscalingv2.MetricTarget{Type: autoscalingv2.AverageValueMetricType, AverageValue: d.quantity("100m", "500m", "1", "200Mi")})
	of := pick(d, v1.ResourceCPU, v1.ResourceCPU, v1.ResourceMemory)
	switch d.IntN(6) {
	case 0, 1:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricSource{Name: of, Target: ofPods}}
	case 2:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ContainerResourceMetricSourceType,
			ContainerResource: &autoscalingv2.ContainerResourceMetricSource{Name: of, Container: pick(d, "app", "app", "side"), Target: ofPods}}
	case 3:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.PodsMetricSourceType,
			Pods: &autoscalingv2.PodsMetricSource{Metric: name, Target: average}}
	case 4:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ObjectMetricSourceType, Object: &autoscalingv2.ObjectMetricSource{
			Metric: name, Target: either,
			DescribedObject: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "d"}}}
	default:
		return autoscalingv2.MetricSpec{Type: autoscalingv2.ExternalMetricSourceType,
			External: &autoscalingv2.ExternalMetricSource{Metric: name, Target: either}}
	}
}

// rules are those of one direction, with the defaults that the API server fills in.
func (d dice) rules(down bool) *autoscalingv2.HPAScalingRules {
	rules := &autoscalingv2.HPAScalingRules{
		SelectPolicy: ptr(pick(d, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MaxChangePolicySelect,
			autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect)),
		StabilizationWindowSeconds: ptr(pick[int32](d, 0, 15, 30, 45, 60, 300)),
	}
	if down && d.often(30) {
		rules.StabilizationWindowSeconds = nil
	}
	for range 1 + d.IntN(3) {
		kind := pick(d, autoscalingv2.PodsScalingPolicy, autoscalingv2.PercentScalingPolicy)
		value := pick[int32](d, 1, 2, 4)
		if kind == autoscalingv2.PercentScalingPolicy {
			value = pick[int32](d, 10, 20, 50, 80, 100, 150)
		}
		rules.Policies = append(rules.Policies, autoscalingv2.HPAScalingPolicy{Type: kind, Value: value,
			PeriodSeconds: pick[int32](d, 15, 30, 45, 60, 120)})
	}
	if d.often(25) {
		rules.Tolerance = ptr(resource.MustParse(fmt.Sprintf("%dm", d.IntN(400))))
	}
	return rules
}

func (d dice) hpa() *autoscalingv2.HorizontalPodAutoscaler {
	minimum := pick[int32](d, 0, 1, 1, 2, 3)
	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: metav1.ObjectMeta{Name: "h", Namespace: "n"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "d"},
			MinReplicas:    &minimum, MaxReplicas: minimum + 3 + d.Int32N(20),
		},
	}
	for position := range 1 + d.IntN(3) {
		hpa.Spec.Metrics = append(hpa.Spec.Metrics, d.metric(position))
	}
	if d.often(65) {
		hpa.Spec.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: d.rules(false), ScaleDown: d.rules(true)}
	}
	return hpa
}

func (d dice) requests(missing int) v1.ResourceRequirements {
	list := v1.ResourceList{}
	if !d.often(missing) {
		list[v1.ResourceCPU] = *d.quantity("500m", "1", "250m")
	}
	if !d.often(missing) {
		list[v1.ResourceMemory] = *d.quantity("256Mi", "1Gi", "200M")
	}
	return v1.ResourceRequirements{Requests: list}
}

func (d dice) pod(name string, now time.Time, missing int) *v1.Pod {
	ago := func(seconds int) metav1.Time {
		return metav1.NewTime(now.Truncate(time.Second).Add(-time.Duration(seconds) * time.Second))
	}
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "n", Labels: map[string]string{"app": "d"}},
		Spec:       v1.PodSpec{Containers: []v1.Container{{Name: "app", Resources: d.requests(missing)}}},
		Status:     v1.PodStatus{Phase: v1.PodRunning},
	}
	if d.often(15) {
		pod.Spec.Containers = append(pod.Spec.Containers, v1.Container{Name: "side", Resources: d.requests(missing)})
	}
	for range d.IntN(8) - 5 {
		always := v1.ContainerRestartPolicyAlways
		container := v1.Container{Name: "init", Resources: d.requests(missing)}
		if d.often(50) {
			container.RestartPolicy = &always
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, container)
	}
	if d.often(10) {
		pod.Spec.Resources = ptr(d.requests(40))
	}
	if d.often(10) {
		pod.Spec.Overhead = v1.ResourceList{v1.ResourceCPU: resource.MustParse("50m")}
	}
	if d.often(5) {
		pod.DeletionTimestamp = ptr(ago(3))
	}
	if d.often(18) {
		pod.Status.Phase = pick(d, v1.PodPending, v1.PodPending, v1.PodFailed, v1.PodSucceeded, v1.PodUnknown)
	}
	started := pick(d, 10, 29, 30, 31, 60, 299, 300, 301, 1000, 5000)
	if !d.often(4) {
		pod.Status.StartTime = ptr(ago(started))
	}
	if !d.often(4) {
		status := pick(d, v1.ConditionTrue, v1.ConditionTrue, v1.ConditionTrue, v1.ConditionTrue, v1.ConditionFalse, v1.ConditionUnknown)
		pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: status,
			LastTransitionTime: ago(max(0, started-pick(d, 0, 5, 29, 30, 31, 100, 900)))}}
	}
	return pod
}

// load is what a value is of its target, mostly near it.
func (d dice) load(of float64) int64 {
	switch d.IntN(40) {
	case 0:
		return 0
	case 1:
		return 1 << (40 + d.IntN(23))
	case 2:
		return -d.Int64N(5000)
	case 3, 4, 5, 6:
		return int64(of * pick(d, 0.9, 0.8999, 1, 1.1, 1.1001, 0.882, 1.118))
	default:
		return int64(of * d.Float64() * 2.2)
	}
}

func milli(value int64) resource.Quantity {
	return *resource.NewMilliQuantity(value, resource.DecimalSI)
}

// answers of the metrics APIs: by the name of the metric for the controller, and in order for the file.
func (d dice) answers(hpa *autoscalingv2.HorizontalPodAutoscaler, pods []*v1.Pod, now time.Time, missing int) (map[string]any, []any) {
	ago := func(seconds int) metav1.Time {
		return metav1.NewTime(now.Truncate(time.Second).Add(-time.Duration(seconds) * time.Second))
	}
	names := []string{}
	for _, pod := range pods {
		if !d.often(missing) {
			names = append(names, pod.Name)
		}
	}
	if d.often(10) {
		names = append(names, "gone")
	}
	factor := pick(d, 0.3, 0.6, 1, 1, 1.5, 3)
	used := &usage.PodMetricsList{Items: []usage.PodMetrics{}}
	for _, name := range names {
		one := usage.PodMetrics{ObjectMeta: metav1.ObjectMeta{Name: name}, Timestamp: ago(pick(d, 0, 5, 15, 40)),
			Window: metav1.Duration{Duration: pick(d, 10*time.Second, 30*time.Second, 15300*time.Millisecond)}}
		for _, container := range []string{"app", "side"}[:1+d.IntN(8)/7] {
			list := v1.ResourceList{}
			if !d.often(2) {
				list[v1.ResourceCPU] = milli(d.load(400 * factor))
			}
			if !d.often(2) {
				list[v1.ResourceMemory] = milli(d.load(200e9 * factor))
			}
			one.Containers = append(one.Containers, usage.ContainerMetrics{Name: container, Usage: list})
		}
		used.Items = append(used.Items, one)
	}
	byName, inOrder := map[string]any{}, []any{}
	noUsage := d.often(5)
	if !noUsage {
		byName["usage"] = used
	}
	for position, metric := range hpa.Spec.Metrics {
		name := fmt.Sprintf("m%d", position)
		var answer any
		switch metric.Type {
		case autoscalingv2.PodsMetricSourceType:
			target := float64(metric.Pods.Target.AverageValue.MilliValue())
			list := &custom.MetricValueList{Items: []custom.MetricValue{}}
			for _, pod := range names {
				list.Items = append(list.Items, custom.MetricValue{Timestamp: ago(5), Value: milli(d.load(target * factor)),
					DescribedObject: v1.ObjectReference{Kind: "Pod", Name: pod}})
			}
			answer = list
		case autoscalingv2.ObjectMetricSourceType:
			target := metric.Object.Target
			answer = &custom.MetricValueList{Items: []custom.MetricValue{{Timestamp: ago(5), Value: milli(d.total(target, len(pods), factor)),
				DescribedObject: v1.ObjectReference{Kind: "Deployment", Name: "d"}}}}
		case autoscalingv2.ExternalMetricSourceType:
			list := &external.ExternalMetricValueList{Items: []external.ExternalMetricValue{}}
			for range pick(d, 0, 1, 1, 1, 1, 2, 3) {
				list.Items = append(list.Items, external.ExternalMetricValue{MetricName: name, Timestamp: ago(5),
					Value: milli(d.total(metric.External.Target, len(pods), factor))})
			}
			answer = list
		default:
			if noUsage {
				answer = map[string]string{"error": errNoAnswer.Error()}
			} else {
				answer = used
			}
			inOrder = append(inOrder, answer)
			continue
		}
		if d.often(6) {
			answer = map[string]string{"error": errNoAnswer.Error()}
		} else {
			byName[name] = answer
		}
		inOrder = append(inOrder, answer)
	}
	return byName, inOrder
}

func (d dice) total(target autoscalingv2.MetricTarget, pods int, factor float64) int64 {
	if target.AverageValue != nil {
		return d.load(float64(target.AverageValue.MilliValue()) * float64(pods) * factor)
	}
	return d.load(float64(target.Value.MilliValue()) * factor)
}
