//! The queue: jobs arrive at once or at a rate, and workers take them one by one, oldest first.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Most jobs that wait; more are refused.
const MOST: usize = 100_000;

/// What a worker gets: a job, or none, and what is left.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    pub job: bool,
    pub depth: usize,
    pub oldest_seconds: f64,
}

#[derive(Debug, Default)]
struct Line {
    /// When each job arrived, the oldest first.
    jobs: VecDeque<Instant>,
    per_second: f64,
    /// Part of the next job that has arrived.
    part: f64,
}

type Shared = Arc<Mutex<Line>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    #[serde(default)]
    jobs: usize,
    arrivals_per_second: Option<f64>,
    /// Whether to forget those that wait first.
    #[serde(default)]
    clear: bool,
}

pub(super) fn routes() -> Router {
    let line = Shared::default();
    tokio::spawn(arrive(Arc::clone(&line)));
    Router::new()
        .route("/jobs", post(add))
        .route("/take", post(take))
        .route("/state", get(state))
        .with_state(line)
}

async fn arrive(line: Shared) {
    const STEP: Duration = Duration::from_millis(100);
    let mut ticks = tokio::time::interval(STEP);
    loop {
        let now = ticks.tick().await;
        let mut line = line.lock();
        line.part += line.per_second * STEP.as_secs_f64();
        while line.part >= 1.0 {
            line.part -= 1.0;
            if line.jobs.len() < MOST {
                line.jobs.push_back(now);
            }
        }
    }
}

async fn add(State(line): State<Shared>, Json(more): Json<More>) -> StatusCode {
    let mut line = line.lock();
    let rate = more.arrivals_per_second.unwrap_or(line.per_second);
    let left = if more.clear { 0 } else { line.jobs.len() };
    if left.saturating_add(more.jobs) > MOST || !(0.0..=1000.0).contains(&rate) {
        return StatusCode::BAD_REQUEST;
    }
    line.jobs.truncate(left);
    line.per_second = rate;
    let now = Instant::now();
    line.jobs.extend(std::iter::repeat_n(now, more.jobs));
    StatusCode::NO_CONTENT
}

async fn take(State(line): State<Shared>) -> Json<Taken> {
    let mut line = line.lock();
    let job = line.jobs.pop_front().is_some();
    Json(line.taken(job))
}

async fn state(State(line): State<Shared>) -> Json<Taken> {
    Json(line.lock().taken(false))
}

impl Line {
    fn taken(&self, job: bool) -> Taken {
        let oldest = self.jobs.front().map(Instant::elapsed);
        Taken {
            job,
            depth: self.jobs.len(),
            oldest_seconds: oldest.unwrap_or_default().as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_job_is_taken_first_and_none_from_an_empty_queue() {
        let line = Shared::default();
        let more = |jobs, clear| More {
            jobs,
            clear,
            arrivals_per_second: None,
        };
        assert_eq!(
            add(State(Arc::clone(&line)), Json(more(2, false))).await,
            StatusCode::NO_CONTENT
        );
        tokio::time::advance(Duration::from_secs(5)).await;
        add(State(Arc::clone(&line)), Json(more(1, false))).await;
        let taken = take(State(Arc::clone(&line))).await;
        assert!(taken.job);
        assert_eq!((taken.depth, taken.oldest_seconds), (2, 5.0));
        add(State(Arc::clone(&line)), Json(more(0, true))).await;
        let taken = take(State(Arc::clone(&line))).await;
        assert!(!taken.job);
        assert_eq!((taken.depth, taken.oldest_seconds), (0, 0.0));
        let refused = add(State(line), Json(more(MOST + 1, false))).await;
        assert_eq!(refused, StatusCode::BAD_REQUEST);
    }
}
