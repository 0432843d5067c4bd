//! A worker: it takes jobs one after the other, and exports the depth and age of its queue as every worker does.
//!
//! While the queue does not answer it exports neither: a queue that is not seen is not an empty one.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::State, http::Request, routing::get};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use parking_lot::Mutex;

use crate::{Error, gateway::burn, queue::Taken};

/// Time between two questions while there is nothing to do.
const IDLE: Duration = Duration::from_millis(250);
/// Part of a job's time that is CPU time: one in so many. A worker that is always busy then uses 20m, far from what its HPA
/// scales on.
const CPU_SHARE: u32 = 50;

type Seen = Arc<Mutex<Option<Taken>>>;

/// The routes of a worker that has begun to work.
pub(super) fn routes(queue: &str, job: Duration) -> Result<Router, Error> {
    let seen = Seen::default();
    let take = format!("{}/take", queue.trim_end_matches('/')).parse()?;
    let state = format!("{}/state", queue.trim_end_matches('/')).parse()?;
    tokio::spawn(work(take, job, Arc::clone(&seen)));
    tokio::spawn(look(state, Arc::clone(&seen)));
    Ok(Router::new().route("/metrics", get(metrics)).with_state(seen))
}

async fn work(take: hyper::Uri, job: Duration, seen: Seen) {
    loop {
        match ask("POST", &take).await {
            Ok(taken) if taken.job => {
                let busy = job / CPU_SHARE;
                let _ = tokio::task::spawn_blocking(move || burn(busy)).await;
                tokio::time::sleep(job.saturating_sub(busy)).await;
            }
            Ok(_) => tokio::time::sleep(IDLE).await,
            Err(error) => {
                tracing::warn!(error, "the queue does not answer");
                *seen.lock() = None;
                tokio::time::sleep(IDLE).await;
            }
        }
    }
}

/// Looks at the queue while the worker works.
async fn look(state: hyper::Uri, seen: Seen) {
    loop {
        *seen.lock() = ask("GET", &state).await.ok();
        tokio::time::sleep(IDLE).await;
    }
}

async fn ask(method: &str, uri: &hyper::Uri) -> Result<Taken, Error> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder().method(method).uri(uri).body(Body::empty())?;
    let answer = tokio::time::timeout(Duration::from_secs(2), client.request(request)).await??;
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 4096).await?;
    Ok(serde_json::from_slice(&body)?)
}

async fn metrics(State(seen): State<Seen>) -> String {
    exposition(seen.lock().as_ref())
}

fn exposition(seen: Option<&Taken>) -> String {
    let types =
        "# TYPE voiceassist_queue_depth gauge\n# TYPE voiceassist_queue_oldest_job_age_seconds gauge\n";
    let series = seen.map(|taken| {
        format!(
            "voiceassist_queue_depth{{queue=\"default\"}} {}\n\
             voiceassist_queue_oldest_job_age_seconds{{queue=\"default\"}} {}\n",
            taken.depth, taken.oldest_seconds
        )
    });
    types.to_owned() + &series.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_is_not_seen_is_not_an_empty_one() {
        let is_series = |line: &&str| !line.starts_with('#');
        assert_eq!(exposition(None).lines().filter(is_series).count(), 0);
        let seen = Taken {
            job: false,
            depth: 7,
            oldest_seconds: 2.5,
        };
        let text = exposition(Some(&seen));
        let series: Vec<&str> = text.lines().filter(is_series).collect();
        let depth = "voiceassist_queue_depth{queue=\"default\"} 7";
        let age = "voiceassist_queue_oldest_job_age_seconds{queue=\"default\"} 2.5";
        assert_eq!(series, [depth, age]);
    }
}
