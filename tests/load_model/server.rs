//! HTTP: series out, steering in.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{Error, Shared, exposition, model::Arrivals};

/// Time of one worker that a job takes unless said otherwise.
const SECONDS_PER_JOB: f64 = 0.25;

#[derive(Clone)]
struct Site {
    model: Shared,
    namespace: String,
}

/// Serves until the listener fails.
pub async fn serve(listener: TcpListener, namespace: String, model: Shared) -> Result<(), Error> {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/state", get(state))
        .route("/load", post(load))
        .route("/queue", post(queue))
        .with_state(Site { model, namespace });
    axum::serve(listener, routes).await?;
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Load {
    requests_per_second: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Burst {
    /// Jobs that arrive now.
    #[serde(default)]
    jobs: u64,
    /// Jobs per second that keep arriving; left out, the stream stays as it is.
    arrivals_per_second: Option<f64>,
    /// Time of one worker that each of these jobs takes.
    seconds_per_job: Option<f64>,
    /// Whether to forget the jobs that are there first.
    #[serde(default)]
    clear: bool,
}

/// What is offered and what is left of it.
#[derive(Debug, Serialize)]
struct Snapshot {
    requests_per_second: f64,
    requests_per_pod: Option<f64>,
    requests_lost: f64,
    queue_depth: u64,
    oldest_job_seconds: f64,
    ready_gateways: usize,
    ready_workers: usize,
}

async fn metrics(State(site): State<Site>) -> String {
    exposition::render(&site.model.lock(), &site.namespace)
}

async fn state(State(site): State<Site>) -> Json<Snapshot> {
    let model = site.model.lock();
    Json(Snapshot {
        requests_per_second: model.requests.offered(),
        requests_per_pod: model.requests_per_pod(),
        requests_lost: model.requests.lost(),
        queue_depth: model.queue.depth(),
        oldest_job_seconds: model.oldest_job_age().as_secs_f64(),
        ready_gateways: model.gateways.ready.len(),
        ready_workers: model.workers.ready.len(),
    })
}

type Answer = Result<StatusCode, (StatusCode, &'static str)>;

async fn load(State(site): State<Site>, Json(load): Json<Load>) -> Answer {
    let rate = rate(load.requests_per_second)?;
    site.model.lock().requests.offer(rate);
    Ok(StatusCode::NO_CONTENT)
}

async fn queue(State(site): State<Site>, Json(burst): Json<Burst>) -> Answer {
    let service = Duration::try_from_secs_f64(burst.seconds_per_job.unwrap_or(SECONDS_PER_JOB))
        .ok()
        .filter(|service| !service.is_zero())
        .ok_or((
            StatusCode::BAD_REQUEST,
            "seconds_per_job must be a positive number",
        ))?;
    let arrivals = burst.arrivals_per_second.map(rate).transpose()?;
    let mut model = site.model.lock();
    if burst.clear {
        model.queue.clear();
    }
    model.enqueue(burst.jobs, service);
    if let Some(jobs_per_second) = arrivals {
        model.queue.set_arrivals(Arrivals {
            jobs_per_second,
            service,
        });
    }
    Ok(StatusCode::NO_CONTENT)
}

fn rate(rate: f64) -> Result<f64, (StatusCode, &'static str)> {
    (0.0..=1e6).contains(&rate).then_some(rate).ok_or((
        StatusCode::BAD_REQUEST,
        "a rate must be between 0 and a million per second",
    ))
}
