//! Reads through the API server at a constant rate, whether or not earlier reads were answered.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::Request;
use kube::Client;
use tokio::task::{JoinHandle, JoinSet};

/// Longest wait for one answer. It is long, because a late answer on a busy machine is no failure.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A read that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    pub path: String,
    pub sent: Instant,
    pub ended: Instant,
    pub words: String,
}

/// The outcome of the reads.
#[derive(Debug)]
pub struct Outcome {
    pub sent: usize,
    pub failed: Vec<Failed>,
}

/// Reads until it is ended.
#[derive(Debug)]
pub struct OpenLoop {
    failed: Arc<Mutex<Vec<Failed>>>,
    stop: tokio::sync::oneshot::Sender<()>,
    task: JoinHandle<usize>,
}

impl OpenLoop {
    /// Reads each path in turn, `per_second` times per second in all.
    pub fn start(client: Client, paths: Vec<String>, per_second: u32) -> Self {
        let failed = Arc::default();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(run(client, paths, per_second, Arc::clone(&failed), stopped));
        Self { failed, stop, task }
    }

    /// What has failed so far.
    pub fn failed(&self) -> Vec<Failed> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops sending, and waits for the reads in flight.
    pub async fn end(self) -> Outcome {
        let _ = self.stop.send(());
        let sent = self.task.await.expect("the load does not panic");
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Outcome { sent, failed }
    }
}

async fn run(
    client: Client,
    paths: Vec<String>,
    per_second: u32,
    failed: Arc<Mutex<Vec<Failed>>>,
    mut stopped: tokio::sync::oneshot::Receiver<()>,
) -> usize {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    let mut reads = JoinSet::new();
    let mut sent = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut stopped => break,
        }
        let path = paths[sent % paths.len()].clone();
        let request = Request::get(&path).body(Vec::new());
        let request = request.expect("a path");
        let (client, failed) = (client.clone(), Arc::clone(&failed));
        sent += 1;
        reads.spawn(async move {
            let start = Instant::now();
            let words = match tokio::time::timeout(TIMEOUT, client.request_text(request)).await {
                Ok(Ok(text)) if text.contains("\"items\":[{") => return,
                Ok(Ok(text)) => text,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {TIMEOUT:?}"),
            };
            let failure = Failed {
                path,
                sent: start,
                ended: Instant::now(),
                words,
            };
            failed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(failure);
        });
        while reads.try_join_next().is_some() {}
    }
    while reads.join_next().await.is_some() {}
    sent
}
