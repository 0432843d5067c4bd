//! A healthy installation as plain data. The tests of the checks break one thing in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        coordination::v1::Lease,
        core::v1::{Pod, Service},
        policy::v1::PodDisruptionBudget,
    },
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use serde_json::{Value, json};

use super::{
    Finding, Severity,
    checks::prometheus::{Facts, PrometheusSeen, SelectedFacts, SeriesSeen},
    observed::{CertificateSeen, MetricRead, NamespaceSeen, Observed, RightSeen, ScalingSeen, ServerVersion},
    rights::RIGHTS,
};
use vas_api::v1alpha1::{self, VoiceAssistScaling};
use vas_core::{
    k8s::{
        read::Unread,
        resource_ref::ResourceRef,
        scale_target::{ScaleTarget, TargetId},
    },
    reconcile::suspend::Suspended,
    spec::rules::validate,
};

/// The current time in all tests.
pub(super) fn now() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

pub(super) fn severities(findings: &[Finding]) -> Vec<Severity> {
    findings.iter().map(|finding| finding.severity).collect()
}

/// Merges an object over another.
fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

/// A Deployment with two available replicas. `container` is merged over its only container.
pub(super) fn deployment(name: &str, container: &Value) -> Deployment {
    let mut vas = json!({"name": "vas", "image": concat!("voiceassist/vas:", env!("CARGO_PKG_VERSION"))});
    merge(&mut vas, container);
    serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "vas-system"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"serviceAccountName": name, "containers": [vas]}},
        },
        "status": {"availableReplicas": 2},
    }))
    .unwrap()
}

/// A Lease that was renewed `age` seconds ago.
pub(super) fn lease(holder: &str, age: i64) -> Lease {
    let renewed = now() - SignedDuration::from_secs(age);
    serde_json::from_value(json!({"spec": {
        "holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": format!("{renewed:.6}")}}))
    .unwrap()
}

/// An APIService that is available and leads to the metrics server of vas, with `change` merged over it.
pub(super) fn api_service(name: &str, change: &Value) -> APIService {
    let mut service = json!({
        "metadata": {"name": name},
        "spec": {
            "service": {"namespace": "vas-system", "name": "vas-metrics-server"},
            "caBundle": "YQ==", "groupPriorityMinimum": 100, "versionPriority": 100,
        },
        "status": {"conditions": [{"type": "Available", "status": "True", "reason": "Passed"}]},
    });
    merge(&mut service, change);
    serde_json::from_value(service).unwrap()
}

/// The Service of the metrics server, with `change` merged over it.
pub(super) fn metrics_service(change: &Value) -> Service {
    let mut service = json!({
        "metadata": {"name": "vas-metrics-server", "namespace": "vas-system"},
        "spec": {
            "type": "ClusterIP",
            "selector": {"app": "vas-metrics-server"},
            "ports": [{"name": "https", "port": 443, "targetPort": "https"}],
        },
    });
    merge(&mut service, change);
    serde_json::from_value(service).unwrap()
}

/// A budget over two healthy pods with these labels.
pub(super) fn pdb(name: &str, labels: &Value) -> PodDisruptionBudget {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}},
        "status": {"disruptionsAllowed": 1, "expectedPods": 2, "currentHealthy": 2, "desiredHealthy": 1},
    }))
    .unwrap()
}

/// A live pod of the gateway.
pub(super) fn pod(name: &str, spec: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {"app": "gateway"}},
        "spec": spec,
        "status": {"phase": "Running"},
    }))
    .unwrap()
}

fn pod_spec() -> Value {
    json!({"containers": [{"name": "app", "resources": {"requests": {"cpu": "100m"}}}]})
}

fn target_id() -> TargetId {
    TargetId {
        kind: "Deployment".to_owned(),
        name: "gateway".to_owned(),
    }
}

/// The only scale target.
pub(super) fn target_mut(observed: &mut Observed) -> &mut ScaleTarget {
    let namespace = observed.namespaces.get_mut("prod").unwrap();
    namespace.targets.get_mut(&target_id()).unwrap().as_mut().unwrap()
}

fn scaling() -> ScalingSeen {
    let object: VoiceAssistScaling = serde_json::from_value(json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1",
        "kind": "VoiceAssistScaling",
        "metadata": {"name": "va", "namespace": "prod", "uid": "1", "generation": 1},
        "spec": {"workloads": [{
            "name": "gateway",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"},
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [
                {"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}},
                {"name": "rate", "requestRate": {"counter": "requests_total", "target": {"averageValue": "10"}}},
            ],
        }]},
        "status": {"observedGeneration": 1, "conditions": [
            {"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
    }))
    .unwrap();
    let validation = validate(&object);
    assert_eq!(validation.violations, []);
    ScalingSeen {
        resource: ResourceRef::of(&object.metadata).unwrap(),
        scaling: validation.scaling,
        suspended: Suspended::default(),
        object: Ok(object),
        violations: Vec::new(),
    }
}

fn namespace() -> NamespaceSeen {
    let names = ["gateway-1", "gateway-2"];
    let hpa = json!({
        "metadata": {"name": "va-gateway", "namespace": "prod"},
        "spec": {"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"}},
        "status": {"desiredReplicas": 2, "conditions": [
            {"type": "ScalingActive", "status": "True"}, {"type": "AbleToScale", "status": "True"}]},
    });
    let target = ScaleTarget {
        object: json!({"metadata": {"name": "gateway"}, "spec": {"template": {"spec": pod_spec()}}}),
        selector: "app=gateway".to_owned(),
        replicas: 2,
    };
    NamespaceSeen {
        hpas: Ok(vec![serde_json::from_value(hpa).unwrap()]),
        pdbs: Ok(vec![pdb("va-gateway", &json!({"app": "gateway"}))]),
        pods: Ok(names.map(|name| pod(name, &pod_spec())).to_vec()),
        quotas: Ok(vec![]),
        vpas: Err(Unread::NotFound),
        pod_metrics: Ok(names.map(str::to_owned).to_vec()),
        targets: BTreeMap::from([(target_id(), Ok(target))]),
    }
}

fn prometheus() -> Vec<PrometheusSeen> {
    let scaling = scaling().scaling.unwrap();
    let (name, metric) = scaling.workloads[0].prometheus_metrics().next().unwrap();
    vec![PrometheusSeen {
        name: None,
        how: "at --prometheus-url".to_owned(),
        reachable: Ok(()),
        namespace_label: "namespace".to_owned(),
        pod_label: "pod".to_owned(),
        series: vec![SeriesSeen {
            namespace: "prod".to_owned(),
            scaling: "va".to_owned(),
            workload: "gateway".to_owned(),
            metric: name.to_owned(),
            series: metric.series.clone(),
            on_missing: metric.on_missing,
            facts: Ok(Facts::Selected(SelectedFacts {
                all: 2,
                matched: 2,
                empty_matchers: Vec::new(),
                foreign_to: None,
                clusters: None,
                labels: ["__name__", "namespace", "pod"].map(str::to_owned).into(),
                in_namespace: 2,
                namespaces: Vec::new(),
                pods: BTreeSet::from(["gateway-1", "gateway-2"].map(str::to_owned)),
                resets: Some(0.0),
            })),
        }],
    }]
}

/// A healthy installation. It is built once, because the schema and the rules are slow in a debug build.
pub(super) fn healthy() -> Observed {
    static HEALTHY: LazyLock<Observed> = LazyLock::new(make);
    HEALTHY.clone()
}

fn make() -> Observed {
    let mut crd = v1alpha1::crd();
    crd["status"] = json!({"conditions": [
        {"type": "Established", "status": "True"}, {"type": "NamesAccepted", "status": "True"}]});
    let rights = RIGHTS.iter().flat_map(|right| {
        right.verbs.iter().map(move |verb| RightSeen {
            right,
            verb,
            account: right.account.default_name().to_owned(),
            namespace: right.namespaces("vas-system", None).concat(),
            allowed: Ok(true),
        })
    });
    let names = [
        "v1beta1.custom.metrics.k8s.io",
        "v1beta2.custom.metrics.k8s.io",
        "v1beta1.metrics.k8s.io",
    ];
    let [operator, server] = ["vas-operator", "vas-metrics-server"];
    Observed {
        now: now(),
        install_namespace: "vas-system".to_owned(),
        namespace: None,
        server: Ok(ServerVersion {
            number: Some((1, 37)),
            name: "v1.37.2".to_owned(),
        }),
        crd: Ok(crd),
        rights: rights.collect(),
        operator: Ok(deployment(operator, &json!({}))),
        metrics_server: Ok(deployment(
            server,
            &json!({"ports": [
            {"name": "https", "containerPort": 6443}, {"name": "metrics", "containerPort": 8080}]}),
        )),
        metrics_server_service: Ok(metrics_service(&json!({}))),
        install_pdbs: Ok(vec![
            pdb(operator, &json!({"app": operator})),
            pdb(server, &json!({"app": server})),
        ]),
        operator_lease: Ok(lease("a", 2)),
        metrics_server_lease: Ok(lease("b", 2)),
        api_services: names
            .iter()
            .map(|name| ((*name).to_owned(), Ok(api_service(name, &json!({})))))
            .collect(),
        certificate: Ok(CertificateSeen {
            object: "Secret vas-system/vas-metrics-server-tls".to_owned(),
            field: "tls.crt",
            not_after: now() + SignedDuration::from_hours(24 * 365),
            names: Some(vec!["vas-metrics-server.vas-system.svc".to_owned()]),
        }),
        discovery: Ok(vec!["pods/rate".to_owned()]),
        metric_reads: vec![MetricRead {
            hpa: "HorizontalPodAutoscaler prod/va-gateway".to_owned(),
            metric: "rate".to_owned(),
            path: "/apis/custom.metrics.k8s.io/v1beta2/namespaces/prod/pods/*/rate".to_owned(),
            outcome: Ok("12 (2 values)".to_owned()),
        }],
        prometheus: Ok(prometheus()),
        scalings: Ok(vec![scaling()]),
        namespaces: BTreeMap::from([("prod".to_owned(), namespace())]),
    }
}
