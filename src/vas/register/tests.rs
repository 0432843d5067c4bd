//! `vas register` against an API server of a few lines: who is believed, and what happens where others write
//! meanwhile.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use clap::Parser as _;
use kube::Client;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;

const NAMES: [&str; 2] = ["v1beta2.custom.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"];

/// A name in discovery of vas, and one of another adapter.
const OURS: &str = "namespaces/prometheus";
const THEIRS: &str = "pods/http_requests";

/// What the API server knows.
struct Server {
    api_services: BTreeMap<String, Value>,
    /// Name of the metric that discovery of the metrics API lists; `None` if no server is reached.
    discovered: Option<&'static str>,
    /// What somebody else does before the next write.
    meanwhile: Option<fn(&mut Self)>,
    writes: usize,
}

type Shared = Arc<Mutex<Server>>;

/// An APIService of which the API server says that it reaches the server behind it.
fn leading_to(namespace: &str, name: &str) -> Value {
    json!({
        "metadata": {"resourceVersion": "1"},
        "spec": {"service": {"namespace": namespace, "name": name, "port": 443}, "groupPriorityMinimum": 1,
            "versionPriority": 1},
        "status": {"conditions": [{"type": "Available", "status": "True", "reason": "Passed"}]},
    })
}

fn ours() -> Value {
    leading_to("vas-system", "vas-metrics-server")
}

fn theirs() -> Value {
    leading_to("monitoring", "prometheus-adapter")
}

fn server(api_service: Option<&Value>) -> Shared {
    let all = NAMES
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), api_service?.clone())));
    Arc::new(Mutex::new(Server {
        api_services: all.collect(),
        discovered: Some(OURS),
        meanwhile: None,
        writes: 0,
    }))
}

impl Server {
    fn write(&mut self, name: &str, change: &Value) -> Response {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(self);
        }
        let Some(live) = self.api_services.get_mut(name) else {
            return refused(404, "NotFound");
        };
        if change["metadata"]["resourceVersion"] != live["metadata"]["resourceVersion"] {
            return refused(409, "Conflict");
        }
        live["spec"]["service"] = change["spec"]["service"].clone();
        let live = live.clone();
        self.writes += 1;
        Json(live).into_response()
    }

    fn create(&mut self, mut object: Value) -> Response {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(self);
        }
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        if self.api_services.contains_key(&name) {
            return refused(409, "AlreadyExists");
        }
        object["metadata"]["resourceVersion"] = json!("1");
        object["status"] = ours()["status"].clone();
        self.writes += 1;
        self.api_services.insert(name, object.clone());
        Json(object).into_response()
    }
}

fn refused(code: u16, reason: &str) -> Response {
    let status =
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason});
    (StatusCode::from_u16(code).unwrap(), Json(status)).into_response()
}

async fn answer(State(server): State<Shared>, method: Method, uri: Uri, body: String) -> Response {
    const API_SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
    let mut server = server.lock();
    let path = uri.path();
    let sent = || serde_json::from_str::<Value>(&body).unwrap();
    if let Some(name) = path.strip_prefix(API_SERVICES) {
        let name = name.trim_start_matches('/');
        return match (method, server.api_services.get(name)) {
            (Method::POST, _) => server.create(sent()),
            (Method::PATCH, _) => server.write(name, &sent()),
            (_, Some(live)) => Json(live.clone()).into_response(),
            (_, None) => refused(404, "NotFound"),
        };
    }
    let answered = if path.ends_with("/services/vas-metrics-server") {
        json!({"metadata": {}, "spec": {"ports": [{"port": 443}, {"port": 8080}]}})
    } else if path.ends_with("/endpointslices") {
        json!({"metadata": {}, "items": [{"addressType": "IPv4", "metadata": {}, "endpoints": [{"addresses": ["::"]}]}]})
    } else if path.starts_with("/apis/custom.metrics.k8s.io/") {
        let Some(name) = server.discovered else {
            return refused(503, "ServiceUnavailable");
        };
        json!({"groupVersion": "custom.metrics.k8s.io/v1beta2", "resources": [
            {"name": name, "singularName": "", "namespaced": true, "kind": "MetricValueList", "verbs": ["get"]}]})
    } else {
        json!({"metadata": {}, "items": []})
    };
    Json(answered).into_response()
}

/// Runs `vas register` with these flags.
async fn register(server: &Shared, flags: &[&str]) -> Result<(), String> {
    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        args: Args,
    }
    let flags = Flags::try_parse_from(std::iter::once(&"register").chain(flags)).unwrap();
    let api = Router::new().fallback(answer).with_state(server.clone());
    let cluster = Cluster::new(Client::new(api, "default"));
    let registered = flags.args.register(&cluster).await;
    registered.map_err(|error| error.to_string())
}

fn owners(server: &Shared) -> Vec<String> {
    let server = server.lock();
    let name = |object: &Value| object["spec"]["service"]["name"].as_str().unwrap().to_owned();
    server.api_services.values().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn after_a_take_over_the_condition_of_the_other_adapter_is_not_believed() {
    for (discovered, why) in [
        (None, "ServiceUnavailable"),
        (Some(THEIRS), "another server answers"),
    ] {
        let server = server(Some(&theirs()));
        server.lock().discovered = discovered;
        let error = register(&server, &["--take-over"]).await.unwrap_err();
        assert!(
            error.contains("is not available after 60 s") && error.contains(why),
            "{error}"
        );
    }
    register(&server(Some(&theirs())), &["--take-over"])
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_vas_register_at_the_same_time_is_no_failure() {
    for (before, flags) in [(None, &[][..]), (Some(theirs()), &["--take-over"][..])] {
        let server = server(before.as_ref());
        server.lock().meanwhile = Some(|server| {
            for name in NAMES {
                let mut written = ours();
                written["metadata"]["resourceVersion"] = json!("2");
                server.api_services.insert(name.to_owned(), written);
            }
        });
        register(&server, flags).await.unwrap();
        assert_eq!(owners(&server), ["vas-metrics-server"; 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_goes_or_comes_meanwhile_decides_what_is_written() {
    let gone = server(Some(&theirs()));
    gone.lock().meanwhile = Some(|server| server.api_services.clear());
    register(&gone, &["--take-over"]).await.unwrap();
    assert_eq!(owners(&gone), ["vas-metrics-server"; 2]);

    let came = server(None);
    came.lock().meanwhile = Some(|server| {
        server.api_services.insert(NAMES[0].to_owned(), theirs());
    });
    let error = register(&came, &[]).await.unwrap_err();
    assert!(error.contains("cannot write APIService"), "{error}");
    assert_eq!(owners(&came), ["prometheus-adapter"]);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_the_service_does_not_have_is_refused_before_anything_is_written() {
    for before in [None, Some(ours())] {
        let server = server(before.as_ref());
        let error = register(&server, &["--service-port=444"]).await.unwrap_err();
        assert!(error.contains("has no port 444, but 443, 8080"), "{error}");
        assert_eq!(server.lock().writes, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_run_changes_nothing_and_half_a_take_over_is_finished_by_another_one() {
    let server = server(Some(&theirs()));
    server.lock().api_services.insert(NAMES[0].to_owned(), ours());
    let error = register(&server, &[]).await.unwrap_err();
    assert!(error.contains(NAMES[1]) && !error.contains(NAMES[0]), "{error}");
    for _ in 0..2 {
        register(&server, &["--take-over"]).await.unwrap();
        assert_eq!(owners(&server), ["vas-metrics-server"; 2]);
    }
    register(&server, &[]).await.unwrap();
}
