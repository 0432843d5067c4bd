//! The service on a real cluster: its capacity is that of the pods that are Ready.

use std::time::Duration;

use serde_json::Value;

use super::{DEADLINE, Scene};
use support::{eventually, load_model::LoadModel};

impl Scene {
    async fn until_capacity(&self, expected: f64) {
        eventually(DEADLINE, "the capacity follows the Ready pods", || async {
            let state = self.get("state").await.unwrap_or_default();
            let state: Value = serde_json::from_str(&state).unwrap_or_default();
            match state["service"]["capacity"].as_f64() {
                Some(found) if (found - expected).abs() < 1e-6 => Ok(()),
                _ => Err(state.to_string()),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn capacity_follows_the_ready_pods_and_their_series_count_the_requests() {
    let scene = Scene::set_with("load-service", |cluster, namespace| {
        LoadModel::start_serving(cluster, namespace, &["--capacity=50", "--service-time=1ms"])
    })
    .await;
    scene.until_capacity(100.0).await;
    for _ in 0..20 {
        let url = format!("http://{}/health", scene.model.service());
        let answer = scene.http.get(url).send().await.expect("the service answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }
    let counted = scene.values("voiceassist_http_requests_total{").await;
    assert_eq!(counted, [10.0, 10.0], "the two pods in turn");
    scene.namespace.scale("api-gateway", 4);
    scene.until_capacity(200.0).await;
    scene.namespace.scale("api-gateway", 0);
    scene.until_capacity(0.0).await;
    let url = format!("http://{}/health", scene.model.service());
    let answer = scene.http.get(url).timeout(Duration::from_secs(10)).send().await;
    assert_eq!(answer.expect("it answers at once").status(), 503);
}
