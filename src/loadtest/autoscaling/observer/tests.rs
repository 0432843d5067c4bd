use serde_json::json;

use super::*;

fn observer() -> Observer {
    Observer::new("voice", "deployment/api", "voiceassist-api", (2, 10))
}

fn pod(name: &str, ready: bool) -> Pod {
    let status = if ready { "True" } else { "False" };
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {"nodeName": "node", "containers": []},
        "status": {"conditions": [{"type": "Ready", "status": status}],
            "containerStatuses": [{"name": "app", "image": "", "imageID": "", "ready": ready, "restartCount": 0,
                "state": {"running": {}}}]},
    }))
    .unwrap()
}

fn bare(name: &str) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"containers": []}})).unwrap()
}

fn kinds(observer: &Observer) -> Vec<EventKind> {
    observer.scaling().events.iter().map(|event| event.kind).collect()
}

#[test]
fn pods_of_the_first_look_have_no_past_and_new_ones_have_each_step_once() {
    let mut observer = observer();
    observer.pod(-2.0, &pod("early", true));
    observer.pods(-1.0, &[pod("a", true), pod("b", true)]);
    assert!(kinds(&observer).is_empty());
    assert_eq!(observer.replicas().ready, 2);
    observer.pod(3.0, &bare("c"));
    observer.pod(4.0, &pod("c", false));
    observer.pod(4.5, &pod("c", false));
    observer.pod(5.0, &pod("c", true));
    assert_eq!(
        kinds(&observer),
        [
            EventKind::PodCreated,
            EventKind::PodScheduled,
            EventKind::PodStarted,
            EventKind::PodReady
        ]
    );
    let ready: Vec<(f64, u32)> = observer
        .scaling()
        .replicas
        .iter()
        .map(|seen| (seen.at, seen.ready))
        .collect();
    assert_eq!(ready, [(0.0, 2), (5.0, 3)]);
}

#[test]
fn a_pod_on_its_way_out_is_not_ready_and_one_that_was_missed_is_gone() {
    let mut observer = observer();
    observer.pods(0.0, &[pod("a", true), pod("b", true), pod("c", true)]);
    let mut leaving = pod("a", true);
    leaving.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-26T12:00:00Z")).unwrap();
    observer.pod(1.0, &leaving);
    assert_eq!(observer.replicas().ready, 2);
    observer.pod(2.0, &pod("b", false));
    observer.pods(3.0, &[pod("c", true)]);
    assert_eq!(
        kinds(&observer),
        [
            EventKind::PodTerminating,
            EventKind::PodUnready,
            EventKind::PodGone,
            EventKind::PodGone
        ]
    );
    assert_eq!(observer.replicas().ready, 1);
}

#[test]
fn a_pod_that_was_replaced_under_its_name_while_no_watch_ran_is_gone_and_another_one_came() {
    let of_uid = |uid: &str, ready: bool| {
        let mut pod = pod("db-0", ready);
        pod.metadata.uid = Some(uid.to_owned());
        pod
    };
    let mut observer = observer();
    observer.pods(0.0, &[of_uid("one", true)]);
    observer.pods(1.0, &[of_uid("one", true)]);
    assert!(kinds(&observer).is_empty(), "the same pod in another list");
    observer.pods(2.0, &[of_uid("other", false)]);
    assert_eq!(
        kinds(&observer),
        [
            EventKind::PodGone,
            EventKind::PodCreated,
            EventKind::PodScheduled,
            EventKind::PodStarted,
        ]
    );
    assert_eq!(observer.replicas().ready, 0);
}

#[test]
fn an_hpa_gives_desired_replicas_conditions_and_the_metrics_that_are_read_nowhere_else() {
    let hpa = |desired: i32, reason: &str, value: &str| -> HorizontalPodAutoscaler {
        serde_json::from_value(json!({
            "spec": {"maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "api"}, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "100"}}},
            ]},
            "status": {"desiredReplicas": desired, "conditions": [
                {"type": "ScalingActive", "status": "True", "reason": reason}], "currentMetrics": [
                {"type": "Pods", "pods": {"metric": {"name": "rate"}, "current": {"averageValue": value}}}]},
        }))
        .unwrap()
    };
    let mut observer = observer();
    observer.hpa(-1.0, &hpa(2, "ValidMetricFound", "50"));
    observer.hpa(10.0, &hpa(4, "ValidMetricFound", "200"));
    observer.read_directly("rate", true);
    observer.hpa(20.0, &hpa(4, "FailedGetPodsMetric", "900"));
    let ratios: Vec<Option<f64>> = observer.scaling().metrics.iter().map(|seen| seen.ratio).collect();
    assert_eq!(ratios, [Some(0.5), Some(2.0)]);
    let desired: Vec<u32> = observer
        .scaling()
        .replicas
        .iter()
        .map(|seen| seen.desired)
        .collect();
    assert_eq!(desired, [2, 4]);
    let events = &observer.scaling().events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].words, "True: FailedGetPodsMetric");
    // A metric without a value is `None`, not zero, and is recorded once.
    observer.metric(21.0, "rate", None);
    observer.metric(22.0, "rate", None);
    assert_eq!(
        observer
            .scaling()
            .metrics
            .last()
            .map(|seen| (seen.at, seen.ratio)),
        Some((21.0, None))
    );
}

#[test]
fn it_is_complete_when_target_hpa_and_pods_were_seen() {
    let mut observer = observer();
    observer.target(-1.0, 2);
    observer.pods(-1.0, &[]);
    assert!(!observer.is_complete());
    let hpa = json!({"spec": {"maxReplicas": 1, "scaleTargetRef": {"kind": "Deployment", "name": "api"}},
        "status": {"desiredReplicas": 2, "conditions": [{"type": "AbleToScale", "status": "True"}]}});
    observer.hpa(-1.0, &serde_json::from_value(hpa).unwrap());
    assert!(observer.is_complete());
    assert_eq!(
        observer.scaling().replicas,
        [Replicas {
            at: 0.0,
            desired: 2,
            current: 2,
            ready: 0
        }]
    );
}

#[test]
fn budgets_recommendations_and_refusals_are_said_when_they_change() {
    let budget = |allowed: i32| -> PodDisruptionBudget {
        serde_json::from_value(
            json!({"metadata": {"name": "pdb"}, "status": {"currentHealthy": 2,
            "desiredHealthy": 1, "disruptionsAllowed": allowed, "expectedPods": 2}}),
        )
        .unwrap()
    };
    let vpa = |cpu: &str| {
        json!({"metadata": {"name": "vpa"}, "status": {"recommendation": {
        "containerRecommendations": [{"containerName": "app", "target": {"cpu": cpu}}]}}})
    };
    let mut observer = observer();
    for (at, allowed, cpu) in [(0.0, 1, "100m"), (1.0, 1, "100m"), (2.0, 0, "200m")] {
        observer.budget(at, &budget(allowed));
        observer.vpa(at, &vpa(cpu));
        observer.refused(at, "replicaset/api-1", "exceeded quota");
    }
    let events: Vec<(f64, &str)> = observer
        .scaling()
        .events
        .iter()
        .map(|event| (event.at, event.words.as_str()))
        .collect();
    assert_eq!(
        events,
        [
            (0.0, "exceeded quota"),
            (2.0, "0 may be disrupted, 1 have to stay"),
            (2.0, "app: cpu 200m")
        ]
    );
    assert_eq!(observer.scaling().budget.len(), 2);
}
