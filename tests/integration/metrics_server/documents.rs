//! Everything that is requested besides metrics: discovery, OpenAPI, the version, and the answer to all other
//! paths.

use std::time::Duration;

use axum::http::Request;
use kube::client::Body;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{
    access, external,
    stack::{Stack, stack},
};
use support::eventually;
use support::eventually::throughout;

const V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const CUSTOM: &str = "custom.metrics.k8s.io";
const PATIENCE: Duration = Duration::from_secs(150);

/// Sends a request to the server itself, as an administrator.
async fn ask(stack: &Stack, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    ask_as(stack, Some("admin"), method, path, headers).await
}

async fn ask_as(
    stack: &Stack,
    who: Option<&str>,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let port = stack.port;
    let url = format!("https://vas-metrics-server.vas-system.svc:{port}{path}");
    let mut request = access::client(stack, port, who).request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Sends a request to the API server, which merges the documents of all servers.
async fn merged(client: &kube::Client, path: &str, accept: &str) -> Result<String, String> {
    let request = Request::get(path)
        .header("Accept", accept)
        .body(Vec::new())
        .expect("a request");
    client
        .request_text(request)
        .await
        .map_err(|error| error.to_string())
}

async fn merged_json(client: &kube::Client, path: &str, accept: &str) -> Result<Value, String> {
    serde_json::from_str(&merged(client, path, accept).await?).map_err(|error| error.to_string())
}

#[tokio::test]
async fn aggregated_discovery_repeats_what_was_asked_for_and_is_not_sent_twice() {
    let stack = stack().await;
    let accept = format!("{V2},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList");
    let first = ask(stack, Method::GET, "/apis", &[("Accept", &accept)]).await;
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(header(&first, "content-type"), V2);
    let etag = header(&first, "etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let list: Value = first.json().await.expect("JSON");
    assert_eq!(list["kind"], "APIGroupDiscoveryList");
    let again = [("Accept", V2), ("If-None-Match", etag.as_str())];
    let again = ask(stack, Method::GET, "/apis", &again).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.text().await.expect("text"), "");
    for accept in [
        "application/vnd.kubernetes.protobuf, */*",
        "application/vnd.kubernetes.protobuf",
    ] {
        let plain = ask(stack, Method::GET, "/apis", &[("Accept", accept)]).await;
        assert_eq!(plain.status(), StatusCode::OK, "{accept}");
        assert_eq!(header(&plain, "content-type"), "application/json", "{accept}");
        let plain: Value = plain.json().await.expect("JSON");
        assert_eq!(plain["kind"], "APIGroupList", "{accept}");
        assert_eq!(plain["groups"].as_array().map(Vec::len), Some(2), "{plain}");
    }
}

#[tokio::test]
async fn the_api_server_takes_every_group_and_version_into_its_discovery() {
    let stack = external::registered().await;
    let client = stack.cluster.client().await;
    let resources_of = |list: &Value, group: &str, version: &str| {
        let item = list["items"]
            .as_array()?
            .iter()
            .find(|item| item["metadata"]["name"] == group)?;
        let versions = item["versions"].as_array()?;
        let found = versions.iter().find(|found| found["version"] == version)?;
        (found["freshness"] == "Current").then(|| found["resources"].clone())
    };
    eventually(PATIENCE, "every version is there and current", || async {
        let list = merged_json(&client, "/apis", V2).await?;
        for version in ["v1beta1", "v1beta2"] {
            let resources = resources_of(&list, CUSTOM, version).ok_or(format!("no {version}: {list}"))?;
            let scopes: Vec<(&str, &str)> = resources
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|resource| Some((resource["resource"].as_str()?, resource["scope"].as_str()?)))
                .collect();
            let expected = [
                ("pods", "Namespaced"),
                ("deployments.apps", "Namespaced"),
                ("namespaces", "Cluster"),
            ];
            if scopes != expected {
                return Err(format!("{version}: {scopes:?}"));
            }
        }
        let external = resources_of(&list, "external.metrics.k8s.io", "v1beta1");
        let kind = external.map(|resources| resources[0]["responseKind"]["kind"].clone());
        if kind == Some(json!("ExternalMetricValueList")) {
            Ok(())
        } else {
            Err(format!("external metrics: {kind:?}"))
        }
    })
    .await;
}

#[tokio::test]
async fn openapi_is_merged_by_the_api_server_which_then_has_nothing_to_complain_about() {
    let stack = external::registered().await;
    let client = stack.cluster.client().await;
    let list = "io.k8s.metrics.pkg.apis.custom_metrics.v1beta2.MetricValueList";
    let kind = json!([{"group": CUSTOM, "version": "v1beta2", "kind": "MetricValueList"}]);
    eventually(PATIENCE, "Swagger 2.0 has our definitions", || async {
        let document = merged_json(&client, "/openapi/v2", "application/json").await?;
        for part in [
            "custom_metrics.v1beta1.MetricValue",
            "external_metrics.v1beta1.ExternalMetricValueList",
        ] {
            if document["definitions"][format!("io.k8s.metrics.pkg.apis.{part}")]["type"] != "object" {
                return Err(format!("no {part}"));
            }
        }
        let found = &document["definitions"][list]["x-kubernetes-group-version-kind"];
        if *found == kind {
            Ok(())
        } else {
            Err(format!("{list}: {found}"))
        }
    })
    .await;
    // The API server parses the merged document strictly in this format. An error in ours would break it for
    // everybody.
    let request = Request::get("/openapi/v2")
        .header("Accept", PROTOBUF)
        .body(Body::empty());
    let protobuf = client.send(request.expect("a request")).await.expect("an answer");
    assert_eq!(protobuf.status(), 200);
    assert!(
        protobuf.headers()["content-type"]
            .to_str()
            .is_ok_and(|form| form.contains("protobuf"))
    );

    let path = format!("apis/{CUSTOM}/v1beta2");
    let url = eventually(PATIENCE, "OpenAPI v3 lists our version", || async {
        let root = merged_json(&client, "/openapi/v3", "application/json").await?;
        let url = root["paths"][&path]["serverRelativeURL"].as_str();
        url.map(str::to_owned).ok_or_else(|| format!("no {path}"))
    })
    .await;
    for url in [
        url.as_str(),
        &format!("/openapi/v3/{path}"),
        &format!("/openapi/v3/{path}?hash=OLD"),
    ] {
        let document = merged_json(&client, url, "application/json").await;
        let document = document.unwrap_or_else(|error| panic!("{url}: {error}"));
        let schema = &document["components"]["schemas"][list];
        assert_eq!(schema["x-kubernetes-group-version-kind"], kind, "{url}");
    }

    let explained = eventually(PATIENCE, "kubectl explains an external metric", || async {
        let api = "--api-version=external.metrics.k8s.io/v1beta1";
        let output = stack
            .cluster
            .kubectl(&["explain", "queue-depth.items", api], None);
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    })
    .await;
    for words in ["ExternalMetricValueList", "metricLabels", "-required-"] {
        assert!(explained.contains(words), "{explained}");
    }

    let log = stack.cluster.dir().join("logs/kube-apiserver.log");
    let complaints = || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let ours = log
            .lines()
            .filter(|line| line.contains(CUSTOM) || line.contains("external.metrics.k8s.io"));
        let words = [
            "OpenAPI spec",
            "failed to download",
            "Rate Limited Requeue",
            "stale",
        ];
        let ours: Vec<String> = ours
            .filter(|line| words.iter().any(|word| line.contains(word)))
            .map(str::to_owned)
            .collect();
        ours
    };
    // Complaints from before the server was there.
    let before = complaints().len();
    throughout(
        Duration::from_secs(65),
        "no complaint in a round of downloads",
        || async {
            match complaints().get(before) {
                None => Ok(()),
                Some(line) => Err(line.clone()),
            }
        },
    )
    .await;
}

#[tokio::test]
async fn openapi_is_sent_once_and_kept_for_ever_by_its_hash() {
    let stack = stack().await;
    for path in ["/openapi/v2", "/openapi/v3"] {
        let first = ask(stack, Method::GET, path, &[("Accept", "application/json")]).await;
        assert_eq!(first.status(), StatusCode::OK, "{path}");
        let etag = header(&first, "etag").to_owned();
        let again = ask(stack, Method::GET, path, &[("If-None-Match", &etag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
    }
    let root: Value = ask(stack, Method::GET, "/openapi/v3", &[])
        .await
        .json()
        .await
        .expect("JSON");
    let paths = root["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 3, "{root}");
    for entry in paths.values() {
        let url = entry["serverRelativeURL"].as_str().expect("a URL");
        let document = ask(stack, Method::GET, url, &[]).await;
        assert_eq!(document.status(), StatusCode::OK, "{url}");
        assert!(header(&document, "cache-control").contains("immutable"), "{url}");
    }
}

#[tokio::test]
async fn the_version_and_the_own_metrics_are_for_those_who_may() {
    let stack = stack().await;
    let version: Value = ask(stack, Method::GET, "/version", &[])
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        version["gitVersion"],
        concat!("v", env!("CARGO_PKG_VERSION")),
        "{version}"
    );
    let metrics = ask(stack, Method::GET, "/metrics", &[]).await;
    assert_eq!(metrics.status(), StatusCode::OK);
    let metrics = metrics.text().await.expect("text");
    assert!(
        metrics.contains("vas_metrics_server_requests_total{code=\"200\"}"),
        "{metrics}"
    );
    for who in [None, Some("kube-scheduler")] {
        let refused = ask_as(stack, who, Method::GET, "/metrics", &[]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{who:?}");
    }
}

#[tokio::test]
async fn other_paths_are_not_found_and_other_methods_not_allowed() {
    let stack = stack().await;
    for path in [
        "/",
        "/api/v1",
        "/apis/apps",
        "/openapi/v3/apis/apps/v1",
        "/metrics/x",
        "/debug/pprof",
    ] {
        let answer = ask(stack, Method::GET, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        let status: Value = answer.json().await.expect("JSON");
        assert_eq!(
            (&status["kind"], &status["reason"]),
            (&json!("Status"), &json!("NotFound")),
            "{status}"
        );
    }
    let read = format!("/apis/{CUSTOM}/v1beta2/namespaces/n/pods/*/m");
    let paths = [
        "/apis",
        "/openapi/v2",
        "/version",
        "/metrics",
        "/healthz",
        "/readyz",
        read.as_str(),
    ];
    for path in paths {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
            Method::HEAD,
        ] {
            let answer = ask(stack, method.clone(), path, &[]).await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(header(&answer, "allow"), "GET", "{method} {path}");
        }
    }
    for path in ["/apis", "/openapi/v3", read.as_str()] {
        for watch in ["watch=true", "watch=1", "watch"] {
            let answer = ask(stack, Method::GET, &format!("{path}?{watch}"), &[]).await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}?{watch}");
            assert_eq!(header(&answer, "allow"), "GET", "{path}?{watch}");
            let status: Value = answer.json().await.expect("JSON");
            assert_eq!(status["reason"], "MethodNotAllowed", "{status}");
        }
    }
}
