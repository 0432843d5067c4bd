//! `vas doctor`, `vas explain` and the load test read a metric where the client libraries of the HPA controller read it.
//!
//! The API server is a program of this test. It serves one resource with its HPA, answers no metric, and
//! records the requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use support::{
    cluster::{bin, run_dir},
    vas,
};

/// A version of custom.metrics.k8s.io, and what aggregated discovery says of its server.
type Version = (&'static str, &'static str);

/// Where the fake keeps the list of groups in the form of clients that do not know aggregated discovery.
const GROUPS: &str = "groups";

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

struct Fake {
    objects: BTreeMap<String, Value>,
    asked: Mutex<Vec<String>>,
}

/// One read of a metric: its path, and its parameters in the order of their names.
type Read = (String, Vec<(String, String)>);

impl Fake {
    async fn start(versions: &[Version]) -> (Arc<Self>, SocketAddr) {
        let fake = Arc::new(Self {
            objects: objects(versions),
            asked: Mutex::default(),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&fake));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        (fake, address)
    }

    /// The reads of metrics since the last call.
    fn reads(&self) -> BTreeSet<Read> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let reads = asked.into_iter().filter(|uri| {
            let served =
                uri.starts_with("/apis/custom.metrics.") || uri.starts_with("/apis/external.metrics.");
            served && uri.contains("/namespaces/")
        });
        reads.map(|uri| read(&uri)).collect()
    }
}

fn read(uri: &str) -> Read {
    let url = url::Url::parse(&format!("http://fake{uri}")).unwrap();
    let path = percent_decode_str(url.path()).decode_utf8().unwrap().into_owned();
    let mut parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    parameters.sort();
    (path, parameters)
}

async fn answer(State(fake): State<Arc<Fake>>, headers: HeaderMap, uri: Uri) -> Response {
    fake.asked.lock().unwrap().push(uri.to_string());
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let is_aggregated = accepted.is_some_and(|accepted| accepted.contains("g=apidiscovery.k8s.io"));
    let (form, path) = match uri.path() {
        "/api" | "/apis" if is_aggregated => (AGGREGATED, uri.path()),
        "/apis" => ("application/json", GROUPS),
        path => ("application/json", path),
    };
    let (status, body) = if let Some(object) = fake.objects.get(path) {
        (StatusCode::OK, object.to_string())
    } else {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
            "code": 404, "message": "the fake has no such thing"});
        (StatusCode::NOT_FOUND, status.to_string())
    };
    (status, [(CONTENT_TYPE, form)], body).into_response()
}

fn list(items: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})
}

fn objects(versions: &[Version]) -> BTreeMap<String, Value> {
    let kind = |resource: &str, kind: &str| {
        json!({"resource": resource, "scope": "Namespaced", "verbs": ["get"],
        "singularResource": kind.to_lowercase(), "responseKind": {"group": "", "version": "", "kind": kind}})
    };
    let named = |version: &str| json!({"version": version, "groupVersion": format!("custom.metrics.k8s.io/{version}")});
    let group = |name: &str, versions: Value| json!({"metadata": {"name": name}, "versions": versions});
    let groups = |items: Value| {
        json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {}, "items": items})
    };
    let custom: Vec<Value> = versions
        .iter()
        .map(|(version, freshness)| json!({"version": version, "freshness": freshness, "resources": []}))
        .collect();
    let resource = json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": "n", "name": "v", "uid": "u", "generation": 1, "resourceVersion": "1"},
        "spec": {"workloads": [{
            "name": "w", "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "w"},
            "metrics": [{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}}],
        }]},
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "n", "name": "w", "uid": "d"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "w"}},
            "template": {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": []}}},
    });
    let scale = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"namespace": "n", "name": "w"},
        "spec": {"replicas": 1}, "status": {"replicas": 1, "selector": "app=w"},
    });
    let namespaced = |kind: &str, name: &str| {
        json!({"name": name, "singularName": "", "namespaced": true,
        "kind": kind, "verbs": ["get"]})
    };
    let apps = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "apps/v1", "resources":
        [namespaced("Deployment", "deployments"), namespaced("Scale", "deployments/scale")]});
    let scalings = "/apis/scaling.voiceassist.io/v1alpha1/namespaces/n/voiceassistscalings";
    let hpas = "/apis/autoscaling/v2/namespaces/n/horizontalpodautoscalers";
    let deployments = "/apis/apps/v1/namespaces/n/deployments";
    [
        ("/version".to_owned(), json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": "", "gitTreeState": "",
            "buildDate": "", "goVersion": "", "compiler": "", "platform": ""})),
        ("/api".to_owned(), groups(json!([group("", json!([{"version": "v1", "freshness": "Current",
            "resources": [kind("pods", "Pod"), kind("namespaces", "Namespace")]}]))]))),
        ("/apis".to_owned(), groups(json!([
            group("apps", json!([{"version": "v1", "freshness": "Current", "resources": [kind("deployments", "Deployment")]}])),
            group("custom.metrics.k8s.io", json!(custom)),
        ]))),
        (GROUPS.to_owned(), json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [{"name": "apps",
            "versions": [{"version": "v1", "groupVersion": "apps/v1"}]}]})),
        ("/apis/custom.metrics.k8s.io".to_owned(), json!({"kind": "APIGroup", "apiVersion": "v1",
            "name": "custom.metrics.k8s.io", "preferredVersion": named(versions[0].0),
            "versions": versions.iter().map(|version| named(version.0)).collect::<Vec<_>>()})),
        ("/apis/apps/v1".to_owned(), apps),
        (scalings.to_owned(), list(&json!([resource]))),
        (format!("{scalings}/v"), resource),
        (hpas.to_owned(), list(&json!([hpa()]))),
        (format!("{hpas}/v-w"), hpa()),
        (format!("{deployments}/w"), deployment),
        (format!("{deployments}/w/scale"), scale),
        ("/api/v1/namespaces/n".to_owned(), json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})),
        ("/api/v1/namespaces/n/pods".to_owned(), list(&json!([]))),
    ]
    .into_iter()
    .collect()
}

fn hpa() -> Value {
    let target = json!({"type": "Value", "value": "1"});
    let selected = |name: &str| {
        json!({"name": name, "selector": {"matchLabels": {"b": "c"}, "matchExpressions": [
        {"key": "a", "operator": "Exists"}, {"key": "d", "operator": "In", "values": ["z", "y"]}]}})
    };
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": "n", "name": "v-w"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "w"}, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": target}},
            {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": target}},
            {"type": "Pods", "pods": {"metric": selected("gauge"), "target": target}},
            {"type": "Object", "object": {"metric": {"name": "depth"}, "target": target,
                "describedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "w"}}},
            {"type": "Object", "object": {"metric": selected("age"), "target": target,
                "describedObject": {"apiVersion": "v1", "kind": "Namespace", "name": "n"}}},
            {"type": "External", "external": {"metric": selected("jobs"), "target": target}},
            {"type": "External", "external": {"metric": {"name": "all"}, "target": target}},
        ]},
    })
}

/// The reads of the client libraries, for each metric of [`hpa`].
const LIBRARY: [&[&str]; 6] = [
    &["--selector=app=w", "pods", "n", "rate"],
    &[
        "--selector=app=w",
        "--metric-selector=a,b=c,d in (y,z)",
        "pods",
        "n",
        "gauge",
    ],
    &["object", "n", "Deployment.apps", "w", "depth"],
    &["--metric-selector=a,b=c,d in (y,z)", "namespace", "n", "age"],
    &["--metric-selector=a,b=c,d in (y,z)", "external", "n", "jobs"],
    &["external", "n", "all"],
];

fn kubeconfig(address: SocketAddr) -> PathBuf {
    let file = run_dir().join(format!("kubeconfig-of-fake-{}", address.port()));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let text = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "u", "user": {}}]});
    std::fs::write(&file, text.to_string()).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_is_read_where_the_client_libraries_of_the_hpa_read_it() {
    for (versions, read_from) in [
        (&[("v1beta2", "Current"), ("v1beta1", "Current")], "v1beta2"),
        (&[("v1beta1", "Current"), ("v1beta2", "Current")], "v1beta1"),
        // No server answers behind the APIService of the version that is listed first.
        (&[("v1beta2", "Stale"), ("v1beta1", "Current")], "v1beta1"),
    ] {
        let (fake, address) = Fake::start(versions).await;
        let kubeconfig = format!("--kubeconfig={}", kubeconfig(address).display());
        tokio::task::block_in_place(|| {
            for args in LIBRARY {
                let mut command = Command::new(bin("metrics-clients"));
                command
                    .arg(&kubeconfig)
                    .args(args)
                    .output()
                    .expect("metrics-clients starts");
            }
            let expected = fake.reads();
            assert_eq!(expected.len(), LIBRARY.len(), "{expected:?}");
            let custom = expected
                .iter()
                .filter(|(path, _)| path.starts_with("/apis/custom."));
            for (path, _) in custom {
                assert!(path.contains(&format!("/{read_from}/")), "{path}");
            }
            for command in [
                &["doctor", "-n=n"][..],
                &["explain", "v", "-n=n"],
                &[
                    "test",
                    "autoscaling",
                    "v",
                    "-n=n",
                    "--target=http://127.0.0.1:9",
                    "--replicas=99",
                ],
            ] {
                let args: Vec<&str> = command.iter().copied().chain([kubeconfig.as_str()]).collect();
                let output = vas::run(&args);
                let said = String::from_utf8_lossy(&output.stderr);
                assert_eq!(fake.reads(), expected, "{versions:?} {command:?}: {said}");
            }
        });
    }
}
