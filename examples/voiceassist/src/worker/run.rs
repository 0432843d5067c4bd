//! The loop of a worker: claim, do, complete; on a stop finish what is in hand, or hand it back.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    embed, index,
    metrics::JobMetrics,
    outcome::{JobError, Outcome},
    transcribe,
};
use crate::{
    clock,
    database::Database,
    knowledge::Embedder,
    queue::{self, Claim, Completed, Work},
};

/// What jobs are done with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Where the queue and the results are.
    pub database: Database,
    /// The stand-in for a model.
    pub embedder: Embedder,
    /// What is counted.
    pub metrics: Arc<JobMetrics>,
}

/// How a worker goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Jobs at once.
    pub concurrency: usize,
    /// How long a claim hides its job.
    pub visibility: Duration,
    /// Pause of an idle loop before it looks again.
    pub idle: Duration,
    /// Time that jobs in hand have after a stop.
    pub grace: Duration,
}

/// Works until `stop`, then until what is in hand is done or handed back.
pub async fn run(worker: &Worker, pace: Pace, stop: &CancellationToken) {
    let give_up = CancellationToken::new();
    let loops = TaskTracker::new();
    for _ in 0..pace.concurrency {
        loops.spawn(one_loop(worker.clone(), pace, stop.clone(), give_up.clone()));
    }
    loops.close();
    stop.cancelled().await;
    if tokio::time::timeout(pace.grace, loops.wait()).await.is_err() {
        give_up.cancel();
        loops.wait().await;
    }
}

async fn one_loop(worker: Worker, pace: Pace, stop: CancellationToken, give_up: CancellationToken) {
    while !stop.is_cancelled() {
        match queue::claim(&worker.database, pace.visibility).await {
            Ok(Some(claim)) => take(&worker, pace, &claim, &give_up).await,
            Ok(None) => pause(pace.idle, &stop).await,
            Err(error) => {
                tracing::warn!(%error, "no job can be claimed");
                pause(Duration::from_millis(500), &stop).await;
            }
        }
    }
}

/// One attempt at a job.
async fn take(worker: &Worker, pace: Pace, claim: &Claim, give_up: &CancellationToken) {
    let began = clock::now();
    let work = Work::parse(&claim.kind, &claim.payload);
    let kind = work.as_ref().map_or("unknown", Work::kind);
    let outcome = tokio::select! {
        outcome = attempt(worker, pace, claim, work) => outcome,
        () = give_up.cancelled() => {
            if let Err(error) = queue::hand_back(&worker.database, claim).await {
                tracing::warn!(%error, job = %claim.id, "the job comes back with its visibility timeout");
            }
            worker.metrics.ended(kind, "handed_back", began.elapsed());
            return;
        }
    };
    let result = match outcome {
        Ok(Completed::Yes) => "done",
        Ok(Completed::ClaimLost) => "lost",
        Err(error) => {
            tracing::warn!(%error, job = %claim.id, kind, attempt = claim.attempts, "a job failed");
            let failed = queue::fail(&worker.database, claim, &error.to_string(), error.is_hopeless()).await;
            if let Err(error) = failed {
                tracing::warn!(%error, job = %claim.id, "the job comes back with its visibility timeout");
            }
            "failed"
        }
    };
    worker.metrics.ended(kind, result, began.elapsed());
}

async fn attempt(worker: &Worker, pace: Pace, claim: &Claim, work: Option<Work>) -> Outcome {
    let work = work.ok_or_else(|| JobError::Unknown(claim.kind.clone()))?;
    // An attempt ends before its claim does, so two are at work on one job only where a process stood still.
    let longest = pace.visibility.mul_f64(0.9);
    let done = tokio::time::timeout(longest, async {
        match work {
            Work::Index { document } => index::index(worker, claim, document).await,
            Work::Embed { message } => embed::embed(worker, claim, message).await,
            Work::Transcribe {
                session,
                frames,
                digest,
            } => transcribe::transcribe(worker, claim, session, frames, digest).await,
        }
    });
    done.await.map_err(|_| JobError::TooSlow(longest.as_secs()))?
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
