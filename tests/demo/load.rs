//! Steering the load model's queue, and its state.

use std::time::Duration;

use serde_json::{Value, json};

use crate::record::Offered;

/// The HTTP side of a running load model.
#[derive(Clone, Debug)]
pub(crate) struct Steering {
    address: String,
    http: reqwest::Client,
}

impl Steering {
    /// The load model that listens on this address.
    pub(crate) fn at(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// Puts jobs into the queue at once.
    pub(crate) async fn enqueue(&self, jobs: u32, seconds_per_job: f64) {
        self.post("queue", json!({"jobs": jobs, "seconds_per_job": seconds_per_job}))
            .await;
    }

    /// The current load; `None` while the load model does not answer.
    pub(crate) async fn offered(&self) -> Option<Offered> {
        let url = format!("http://{}/state", self.address);
        let answer = self.http.get(url).timeout(Duration::from_secs(2)).send().await;
        answer.ok()?.json().await.ok()
    }

    async fn post(&self, path: &str, body: Value) {
        let url = format!("http://{}/{path}", self.address);
        let answer = self.http.post(url).json(&body).send().await;
        let answer = answer.expect("the load model answers");
        assert!(
            answer.status().is_success(),
            "the load model refused {body}: {}",
            answer.status()
        );
    }
}
