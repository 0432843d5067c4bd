//go:build differential

// Package podautoscaler is that of the HPA controller, whose files record.sh lays over this folder.
package podautoscaler

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	featuregatetesting "k8s.io/component-base/featuregate/testing"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/monitor"
	consistencyutil "k8s.io/kubernetes/pkg/controller/util/consistency"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
	"k8s.io/kubernetes/pkg/features"
)

var (
	cases = flag.Int("cases", 10, "how many situations")
	seed  = flag.Uint64("seed", 1, "of the random numbers")
	out   = flag.String("out", "", "file to write")
)

const key = "n/h"

type recommendation struct {
	Replicas   int32   `json:"replicas"`
	AgeSeconds float64 `json:"ageSeconds"`
}

type event struct {
	Change     int32   `json:"change"`
	AgeSeconds float64 `json:"ageSeconds"`
	Outdated   bool    `json:"outdated"`
}

type memory struct {
	Recommendations []recommendation `json:"recommendations"`
	ScaleUpEvents   []event          `json:"scaleUpEvents"`
	ScaleDownEvents []event          `json:"scaleDownEvents"`
}

type condition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

// decision is what the controller made of one document of `vas simulate sync`.
type decision struct {
	Desired    int32       `json:"desired"`
	Conditions []condition `json:"conditions"`
	State      memory      `json:"state"`
}

type line struct {
	Document map[string]any `json:"document"`
	Decision decision       `json:"decision"`
}

// TestRecord runs inside a bubble of testing/synctest, whose clock stands still while the controller works: ages are exact.
func TestRecord(t *testing.T) {
	if *out == "" {
		t.Skip("no -out")
	}
	file, err := os.Create(*out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	defer buffered.Flush()
	encoder := json.NewEncoder(buffered)
	d := dice{rand.New(rand.NewPCG(*seed, 0))}
	syncs := 0
	for _, gate := range []bool{true, false} {
		featuregatetesting.SetFeatureGateDuringTest(t, utilfeature.DefaultFeatureGate, features.HPAScaleToZero, gate)
		share := *cases / 5
		if gate {
			share = *cases - share
		}
		synctest.Test(t, func(t *testing.T) {
			for range share {
				for _, one := range d.run(t, gate) {
					syncs++
					if err := encoder.Encode(one); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
	fmt.Fprintf(os.Stderr, "%d syncs in %d situations\n", syncs, *cases)
}

// run lets a controller that has just begun sync one HPA a few times.
func (d dice) run(t *testing.T, gate bool) []line {
	hpa := d.hpa()
	w := &world{hpa: hpa, scale: &autoscalingv1.Scale{}}
	w.scale.Name, w.scale.Namespace = "d", "n"
	w.scale.Spec.Replicas = d.Int32N(12)
	pods := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	lister := corelisters.NewPodLister(pods)
	window := pick(d, 5*time.Minute, 5*time.Minute, time.Minute)
	tolerance := pick(d, 0.1, 0.1, 0.05)
	a := &HorizontalController{
		eventRecorder: &record.FakeRecorder{}, scaleNamespacer: w, hpaNamespacer: w, mapper: mapper(), tolerance: tolerance,
		downscaleStabilisationWindow: window, monitor: monitor.New(), podLister: lister,
		recommendations: map[string][]timestampedRecommendation{}, scaleUpEvents: map[string][]timestampedScaleEvent{},
		scaleDownEvents: map[string][]timestampedScaleEvent{}, selectorTracker: newHPASelectorStore(),
		consistencyStore: consistencyutil.NewNoopConsistencyStore(),
		replicaCalc: NewReplicaCalculator(metricsclient.NewRESTMetricsClient(w, customs{w}, externals{w}), lister,
			5*time.Minute, 30*time.Second),
	}
	this, other := selectors.Key{Namespace: "n", Name: "h"}, selectors.Key{Namespace: "n", Name: "other"}
	a.selectorTracker.PutIfAbsent("n", this, labels.Nothing())
	withoutRequest, withoutSample := pick(d, 0, 0, 0, 5), pick(d, 0, 5, 30)
	lines := []line{}
	for range 1 + d.IntN(14) {
		time.Sleep(pick(d, 15*time.Second, 15*time.Second, 15*time.Second, 15001*time.Millisecond, time.Second, 30*time.Second,
			60*time.Second, 299*time.Second))
		now := time.Now()
		if d.often(6) {
			w.scale.Spec.Replicas = d.Int32N(16)
		}
		if d.often(4) {
			hpa.Spec.MaxReplicas = max(1, *hpa.Spec.MinReplicas+d.Int32N(10))
		}
		named := []*v1.Pod{}
		objects := []any{}
		number := int(w.scale.Spec.Replicas) + pick(d, 0, 0, 0, 0, 1, -1)
		if d.often(3) {
			number = 0
		}
		for position := range number {
			pod := d.pod(fmt.Sprintf("p%d", position), now, withoutRequest)
			named, objects = append(named, pod), append(objects, pod)
		}
		if err := pods.Replace(objects, ""); err != nil {
			t.Fatal(err)
		}
		w.scale.Status.Replicas, w.scale.Status.Selector = int32(len(named)), "app=d"
		if d.often(1) {
			w.scale.Status.Selector = ""
		}
		ambiguous := d.often(2)
		if ambiguous {
			a.selectorTracker.PutIfAbsent("n", other, labels.SelectorFromSet(labels.Set{"app": "d"}))
		}
		answers, inOrder := d.answers(hpa, named, now, withoutSample)
		w.answers = answers
		document := map[string]any{
			"hpa": hpa.DeepCopy(), "scale": w.scale.DeepCopy(), "pods": named, "answers": inOrder, "state": a.memory(now),
			"now": now.UTC().Format(time.RFC3339Nano), "otherHpaSelectsPods": ambiguous && len(named) > 0,
			"controller":   map[string]any{"tolerance": tolerance, "downscaleStabilizationSeconds": int(window.Seconds())},
			"featureGates": map[string]any{"HPAScaleToZero": gate},
		}
		// An error is one of the metrics; what it means is in the conditions.
		_ = a.reconcileAutoscaler(context.Background(), hpa.DeepCopy(), key)
		a.selectorTracker.Delete("n", other)
		made := decision{Desired: w.scale.Spec.Replicas, State: a.memory(now)}
		for _, one := range hpa.Status.Conditions {
			made.Conditions = append(made.Conditions, condition{string(one.Type), string(one.Status), one.Reason})
		}
		lines = append(lines, line{document, made})
	}
	return lines
}

func (a *HorizontalController) memory(now time.Time) memory {
	m := memory{[]recommendation{}, []event{}, []event{}}
	for _, one := range a.recommendations[key] {
		m.Recommendations = append(m.Recommendations, recommendation{one.recommendation, now.Sub(one.timestamp).Seconds()})
	}
	events := func(of []timestampedScaleEvent) []event {
		all := []event{}
		for _, one := range of {
			all = append(all, event{one.replicaChange, now.Sub(one.timestamp).Seconds(), one.outdated})
		}
		return all
	}
	m.ScaleUpEvents, m.ScaleDownEvents = events(a.scaleUpEvents[key]), events(a.scaleDownEvents[key])
	return m
}
