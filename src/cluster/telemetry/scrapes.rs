//! Scrapes of `/metrics`, with a bound on how many are answered at once.
//!
//! They are encoded one after the other on a blocking thread, so that metrics that take long to read delay other scrapes
//! only, and never a probe or a read. A process has one [`Scrapes`], whatever the number of ports that show its metrics:
//! the bound holds for all of them together.

use axum::{
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::sync::Semaphore;

use super::exposed::Exposed;

/// Scrapes at once; further ones get status 503. One Prometheus needs one, a redundant pair two.
const MAX_SCRAPES: usize = 4;

/// Answers scrapes of what a process exposes.
pub struct Scrapes {
    metrics: Exposed,
    limit: Semaphore,
    writing: Semaphore,
}

impl Scrapes {
    /// Answers from these metrics.
    pub fn new(metrics: Exposed) -> Self {
        Self {
            metrics,
            limit: Semaphore::new(MAX_SCRAPES),
            writing: Semaphore::new(1),
        }
    }

    /// The answer to a scrape with these headers: status 503 where too many are under way.
    pub async fn answer(&self, scrape: HeaderMap) -> Response {
        let Ok(_permit) = self.limit.try_acquire() else {
            let text = format!("{MAX_SCRAPES} scrapes of /metrics are under way; come again\n");
            return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
        };
        let _writing = self.writing.acquire().await;
        let metrics = self.metrics.clone();
        let written = tokio::task::spawn_blocking(move || metrics.answer(&scrape)).await;
        written.unwrap_or_else(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response())
    }
}
