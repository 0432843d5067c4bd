//! The HTTP server: it shows series and takes steering commands.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    Error, Shared, exposition,
    model::Arrivals,
    service::{self, Service},
};

/// Worker time of a job in seconds, unless the request says otherwise.
const SECONDS_PER_JOB: f64 = 0.25;

/// What the server shows and steers.
#[derive(Clone)]
pub(crate) struct Site {
    pub model: Shared,
    pub namespace: String,
    /// The service that answers real requests, if there is one.
    pub service: Option<Arc<Service>>,
    /// Number of played pods, if pods are played.
    pub played: Option<Arc<watch::Sender<u32>>>,
}

/// Serves until the listener fails.
pub(crate) async fn serve(listener: TcpListener, site: Site) -> Result<(), Error> {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/state", get(state))
        .route("/load", post(load))
        .route("/queue", post(queue))
        .route("/service", post(change_service))
        .with_state(site);
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Requests per second of one pod.
    capacity: Option<f64>,
    /// Number of Ready pods that the model assumes.
    pods: Option<u32>,
    /// Hold every answer from now on.
    stall: Option<Stall>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stall {
    seconds: f64,
}

/// The offered load, and what is left of it.
#[derive(Debug, Serialize)]
struct Snapshot {
    requests_per_second: f64,
    requests_per_pod: Option<f64>,
    requests_lost: f64,
    queue_depth: u64,
    oldest_job_seconds: f64,
    ready_gateways: usize,
    ready_workers: usize,
    service: Option<service::Snapshot>,
}

async fn metrics(State(site): State<Site>) -> String {
    exposition::render(&site.model.lock(), &site.namespace)
}

async fn state(State(site): State<Site>) -> Json<Snapshot> {
    let arriving = site.model.lock().arriving();
    let service = site.service.map(|service| service.snapshot(arriving));
    let model = site.model.lock();
    Json(Snapshot {
        service,
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

async fn change_service(State(site): State<Site>, Json(change): Json<Change>) -> Answer {
    const LONGEST_STALL: f64 = 3600.0;
    let service = site
        .service
        .ok_or((StatusCode::CONFLICT, "started without --service-listen"))?;
    let capacity = change.capacity.map(rate).transpose()?;
    if capacity == Some(0.0) {
        return Err((StatusCode::BAD_REQUEST, "a capacity must be above zero"));
    }
    let stall = change.stall.map(|stall| {
        let length = Duration::try_from_secs_f64(stall.seconds).ok();
        length
            .filter(|length| length.as_secs_f64() <= LONGEST_STALL)
            .ok_or((
                StatusCode::BAD_REQUEST,
                "the seconds of a stall must be a number between 0 and 3600",
            ))
    });
    let stall = stall.transpose()?;
    if let Some(pods) = change.pods {
        let played = site.played.ok_or((
            StatusCode::CONFLICT,
            "the pods are a cluster's: started without --pods",
        ))?;
        played.send_replace(pods);
    }
    if let Some(capacity) = capacity {
        service.set_capacity(capacity);
    }
    if let Some(length) = stall {
        service.stall(length);
    }
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
