//! The load model on a real cluster: scaling changes the metrics on which it was decided.

#![allow(
    clippy::float_cmp,
    reason = "equal values are meant: copies of one number, and zero"
)]

mod service;
mod service_of_pods;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use support::{Cluster, eventually, load_model::LoadModel, namespace::Namespace};

const DEPLOYMENTS: &str = include_str!("../../fixtures/gateway-and-worker.yaml");
const DEADLINE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn scaling_the_gateway_up_lowers_the_requests_per_pod() {
    let scene = Scene::set("load-requests").await;
    scene.post("load", json!({"requests_per_second": 400})).await;
    scene.until_rates("two pods with 200/s each", &[200.0; 2]).await;
    scene.namespace.scale("api-gateway", 4);
    scene.until_rates("four pods with 100/s each", &[100.0; 4]).await;
    scene.namespace.scale("api-gateway", 1);
    scene.until_rates("one pod with all of it", &[400.0]).await;
}

#[tokio::test]
async fn more_workers_drain_the_queue_faster_and_all_export_the_same_depth() {
    let scene = Scene::set("load-queue").await;
    scene
        .post("queue", json!({"jobs": 10_000, "seconds_per_job": 0.5}))
        .await;
    scene
        .until_drain("one worker does two jobs per second", 2.0)
        .await;
    scene.namespace.scale("worker", 3);
    scene
        .until_drain("three workers do six jobs per second", 6.0)
        .await;
    let depths = scene.values("voiceassist_queue_depth{").await;
    assert_eq!(depths.len(), 3, "{depths:?}");
    assert!(depths.windows(2).all(|pair| pair[0] == pair[1]), "{depths:?}");
    scene.post("queue", json!({"clear": true})).await;
    eventually(DEADLINE, "an empty queue has no age", || async {
        match scene
            .values("voiceassist_queue_oldest_job_age_seconds{")
            .await
            .as_slice()
        {
            ages if ages.iter().all(|age| *age == 0.0) && !ages.is_empty() => Ok(()),
            ages => Err(format!("{ages:?}")),
        }
    })
    .await;
}

/// CPU of a pod of one container, which the metrics API gives in billionths of a core or in thousandths.
fn millicores(pod: &Value) -> Option<f64> {
    let cpu = pod["containers"][0]["usage"]["cpu"].as_str()?;
    let number = |text: &str| text.parse::<f64>().ok();
    match cpu.strip_suffix('n') {
        Some(billionths) => Some(number(billionths)? / 1e6),
        None => number(cpu.strip_suffix('m')?),
    }
}

#[tokio::test]
async fn usage_in_metrics_k8s_io_follows_the_load() {
    let scene = Scene::set("load-usage").await;
    scene.post("load", json!({"requests_per_second": 400})).await;
    eventually(DEADLINE, "a busy gateway pod uses 325m of CPU", || async {
        let pods = format!(
            "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods?labelSelector=app%3Dapi-gateway",
            scene.namespace.name()
        );
        let list = scene.cluster.raw(&pods)?;
        let items = list["items"].as_array().into_iter().flatten();
        let usage: Option<Vec<f64>> = items.map(millicores).collect();
        match usage {
            Some(usage) if usage.len() == 2 && usage.iter().all(|cpu| (290.0..=360.0).contains(cpu)) => {
                Ok(())
            }
            _ => Err(list.to_string()),
        }
    })
    .await;
}

#[tokio::test]
async fn nonsense_is_refused() {
    let scene = Scene::set("load-nonsense").await;
    for (path, body) in [
        ("load", json!({"requests_per_second": -1})),
        ("load", json!({"requests": 1})),
        ("queue", json!({"jobs": 1, "seconds_per_job": 0})),
        ("queue", json!({"arrivals_per_second": -1})),
    ] {
        let status = scene.send(path, &body).await.status();
        assert!(status.is_client_error(), "{path} {body}: {status}");
    }
}

struct Scene {
    model: LoadModel,
    namespace: Namespace<'static>,
    cluster: &'static Cluster,
    http: reqwest::Client,
}

impl Scene {
    async fn set(name: &str) -> Self {
        Self::set_with(name, LoadModel::start).await
    }

    async fn set_with(name: &str, start: impl FnOnce(&Cluster, &str) -> LoadModel) -> Self {
        let cluster = Cluster::shared();
        support::install_tls_provider();
        let namespace = Namespace::create(cluster, name);
        namespace.apply(DEPLOYMENTS);
        let scene = Self {
            model: start(cluster, namespace.name()),
            namespace,
            cluster,
            http: reqwest::Client::new(),
        };
        eventually(
            DEADLINE,
            "the load model sees two gateways and a worker",
            || async {
                let state = scene.get("state").await.unwrap_or_default();
                let state: Value = serde_json::from_str(&state).unwrap_or_default();
                if state["ready_gateways"] == 2 && state["ready_workers"] == 1 {
                    Ok(())
                } else {
                    Err(state.to_string())
                }
            },
        )
        .await;
        scene
    }

    async fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://{}/{path}", self.model.address());
        self.http.get(url).send().await.ok()?.text().await.ok()
    }

    async fn send(&self, path: &str, body: &Value) -> reqwest::Response {
        let url = format!("http://{}/{path}", self.model.address());
        let answer = self.http.post(url).json(body).send().await;
        answer.expect("the load model answers")
    }

    async fn post(&self, path: &str, body: Value) {
        let answer = self.send(path, &body).await;
        assert!(answer.status().is_success(), "{path} {body}: {}", answer.status());
    }

    /// Values of all series whose lines begin with `start`, in the order of the pods' names.
    async fn values(&self, start: &str) -> Vec<f64> {
        let text = self.get("metrics").await.unwrap_or_default();
        text.lines()
            .filter(|line| line.starts_with(start))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect()
    }

    /// Waits until the counters of all pods rise at these rates.
    async fn until_rates(&self, what: &str, expected: &[f64]) {
        let counters = "voiceassist_http_requests_total{";
        eventually(DEADLINE, what, || async {
            let (before, started) = (self.values(counters).await, Instant::now());
            tokio::time::sleep(Duration::from_secs(1)).await;
            let (after, elapsed) = (self.values(counters).await, started.elapsed().as_secs_f64());
            let rates: Vec<f64> = before
                .iter()
                .zip(&after)
                .map(|(before, after)| (after - before) / elapsed)
                .collect();
            let close = |(rate, expected): (&f64, &f64)| (rate - expected).abs() < expected * 0.2;
            let same_pods = before.len() == expected.len() && after.len() == expected.len();
            if same_pods && rates.iter().zip(expected).all(close) {
                Ok(())
            } else {
                Err(format!("{rates:?}"))
            }
        })
        .await;
    }

    /// Waits until the queue shrinks at this rate.
    async fn until_drain(&self, what: &str, expected: f64) {
        let depth = "voiceassist_queue_depth{";
        eventually(DEADLINE, what, || async {
            let (before, started) = (self.values(depth).await, Instant::now());
            tokio::time::sleep(Duration::from_secs(2)).await;
            let (after, elapsed) = (self.values(depth).await, started.elapsed().as_secs_f64());
            let (Some(before), Some(after)) = (before.first(), after.first()) else {
                return Err("no series".to_owned());
            };
            let rate = (before - after) / elapsed;
            // Depths are whole jobs, so a rate over two seconds is exact to half a job per second.
            if (rate - expected).abs() <= 1.0 {
                Ok(())
            } else {
                Err(format!("{rate}"))
            }
        })
        .await;
    }
}
