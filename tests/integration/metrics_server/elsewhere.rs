//! A further metrics server with settings of its own. It serves, and leaves reporting to the shared one.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{
    access,
    stack::{POLLED_OFTEN, Stack},
};
use support::{
    eventually,
    process::{Process, free_port},
    vas,
};

/// A server that is read directly.
pub(super) struct Elsewhere {
    pub process: Process,
    metrics_port: u16,
    port: u16,
    client: Client,
}

impl Elsewhere {
    /// Starts it, with the administrator's rights unless the flags name a kubeconfig, and waits until it is
    /// ready.
    pub(super) async fn start(stack: &Stack, name: &str, args: &[String]) -> Self {
        let (port, metrics_port) = (free_port(), free_port());
        let mut all = vec![
            "metrics-server".to_owned(),
            "--service-namespace=vas-system".to_owned(),
            // The shared server holds this Lease.
            "--leader-elect-resource-namespace=vas-system".to_owned(),
            format!("--secure-port={port}"),
            format!("--metrics-bind-address=127.0.0.1:{metrics_port}"),
        ];
        all.extend_from_slice(args);
        let is_set =
            |arg: &String| arg.starts_with("--config") || arg.starts_with("--prometheus-poll-interval");
        if !args.iter().any(is_set) {
            all.push(POLLED_OFTEN.to_owned());
        }
        if !args.iter().any(|arg| arg.starts_with("--kubeconfig=")) {
            all.push(format!("--kubeconfig={}", stack.cluster.kubeconfig().display()));
        }
        let process = vas::start(name, &all, &[]);
        let elsewhere = Self {
            process,
            metrics_port,
            port,
            client: access::client(stack, port, Some("front-proxy-client")),
        };
        eventually(Duration::from_secs(60), "the server is ready", || async {
            let ready = reqwest::get(elsewhere.plain("readyz")).await;
            match ready {
                Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        elsewhere
    }

    fn plain(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.metrics_port)
    }

    /// The value of one of its own metrics.
    pub(super) async fn metric(&self, name: &str) -> Result<f64, String> {
        let answer = reqwest::get(self.plain("metrics"))
            .await
            .map_err(|error| error.to_string())?;
        let text = answer.text().await.map_err(|error| error.to_string())?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).ok_or(text)
    }

    /// The answer to a path that an administrator reads.
    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.get_as(path, "admin", "system:masters").await
    }

    /// The answer to a path that a member of a group reads.
    pub(super) async fn get_as(&self, path: &str, user: &str, group: &str) -> (StatusCode, Value) {
        let url = format!("https://{}:{}{path}", access::HOST, self.port);
        let request = self.client.get(url);
        let request = request
            .header("X-Remote-User", user)
            .header("X-Remote-Group", group);
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    /// The values of a read, or the message of the error.
    pub(super) async fn read(
        &self,
        namespace: &str,
        object: &str,
        metric: &str,
    ) -> Result<Vec<String>, String> {
        let url = format!(
            "https://vas-metrics-server.vas-system.svc:{}/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/{object}/{metric}",
            self.port
        );
        let request = self
            .client
            .get(url)
            .header("X-Remote-User", "admin")
            .header("X-Remote-Group", "system:masters");
        let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
        let answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let Some(items) = answer["items"].as_array() else {
            return Err(answer["message"].as_str().unwrap_or_default().to_owned());
        };
        let values = items
            .iter()
            .map(|item| item["value"].as_str().unwrap_or_default().to_owned());
        Ok(values.collect())
    }

    /// Waits for the values of a read.
    pub(super) async fn reads(&self, namespace: &str, object: &str, metric: &str, expected: &[&str]) {
        let what = format!("{metric} of {namespace} is {expected:?}");
        eventually(Duration::from_secs(90), &what, || async {
            match self.read(namespace, object, metric).await {
                Ok(values) if values == expected => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }

    /// Waits for words in the error of a read.
    pub(super) async fn refuses(&self, namespace: &str, object: &str, metric: &str, words: &str) {
        let what = format!("{metric} of {namespace} fails with {words:?}");
        eventually(Duration::from_secs(90), &what, || async {
            match self.read(namespace, object, metric).await {
                Err(message) if message.contains(words) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}
