//! The programs of the service, as children of the test.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::oneshot,
};

/// Secret of the tokens of all gateways of the tests.
pub(crate) const SECRET: &str = "a secret of the tests, which is long enough";

/// A gateway or a worker. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
    /// Address of the API; for a worker that of its operations.
    pub(crate) address: String,
    /// Address of /healthz, /readyz and /metrics.
    pub(crate) operations: String,
}

impl Process {
    pub(crate) async fn gateway(url: &str, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
        command.args(["--token-secret", SECRET, "--address", "127.0.0.1:0"]);
        let process = Self::start(command, url, flags, &["--drain-delay", "100ms"]).await;
        process.is_ready().await;
        process
    }

    pub(crate) async fn worker(url: &str, flags: &[&str]) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_worker"));
        Self::start(command, url, flags, &["--embedding-cost", "0ms"]).await
    }

    async fn start(mut command: Command, url: &str, flags: &[&str], usual: &[&str]) -> Self {
        command
            .args(["--database-url", url, "--operations-address", "127.0.0.1:0"])
            .args(flags)
            .env("RUST_LOG", "info");
        if !flags.iter().any(|flag| usual.contains(flag)) {
            command.args(usual);
        }
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let (send, listening) = oneshot::channel();
        let kept = Arc::clone(&log);
        tokio::spawn(async move {
            let mut send = Some(send);
            while let Ok(Some(line)) = lines.next_line().await {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if event["message"] == "listening"
                    && let Some(send) = send.take()
                {
                    let _ = send.send(event);
                }
                kept.lock().push(line);
            }
        });
        let listening = tokio::time::timeout(Duration::from_secs(30), listening)
            .await
            .expect("it listens within 30 s")
            .expect("it goes on after it listens");
        let text = |field: &str| listening[field].as_str().map(str::to_owned);
        let operations = text("operations").unwrap();
        Self {
            child,
            log,
            address: text("address").unwrap_or_else(|| operations.clone()),
            operations,
        }
    }

    /// Waits until `/readyz` says that it is ready.
    pub(crate) async fn is_ready(&self) {
        super::until("the process is ready", async || {
            self.operations("/readyz")
                .await
                .filter(|(code, _)| *code == 200)
                .map(drop)
        })
        .await;
    }

    /// The answer of a path of the operations port; nothing if nobody answers.
    pub(crate) async fn operations(&self, path: &str) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("http://{}{path}", self.operations))
            .await
            .ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// The value of the first sample of /metrics that begins so.
    pub(crate) async fn metric(&self, sample: &str) -> Option<f64> {
        let (_, text) = self.operations("/metrics").await?;
        let line = text.lines().find(|line| line.starts_with(sample))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    /// Memory that it has in RAM, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        super::memory(self.pid())
    }

    /// The lines of the log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Ends it as `kill -9` does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for its end; whether that was orderly.
    pub(crate) async fn ended(&mut self) -> bool {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait());
        ended.await.expect("it ends within 30 s").unwrap().success()
    }

    fn pid(&self) -> Pid {
        let id = self.child.id().expect("it runs");
        Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log.lock();
            let name = Path::new(&self.address).display().to_string();
            for line in log.iter().rev().take(20).rev() {
                eprintln!("{name}: {line}");
            }
        }
    }
}
