//! `load-model-pod`: VoiceAssist for pods that really run. One image plays each part, by its first argument:
//!
//! ```text
//! gateway   answers requests, each at the price of CPU time:  GET /work?ms=5
//! queue     keeps the jobs:                                   POST /jobs {"jobs": 300, "arrivals_per_second": 2}
//! worker    takes jobs from a queue and works on them:        worker --queue http://queue:8080 --job 2.5
//! ask       asks URLs for what it may not know, and ends:     ask https://vas-metrics-server.vas-system.svc/apis
//! ```
//!
//! Each but the last serves `/health` and `/metrics`, holds as much memory as `POST /memory {"mebibytes": 200}` says, and ends
//! gracefully: it answers what it has begun. Unlike `load-model` it knows nothing of Kubernetes.

mod ask;
mod gateway;
mod memory;
mod queue;
mod worker;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use axum::{Router, routing::get};
use clap::{Parser, Subcommand};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Plays a pod of VoiceAssist.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Part,
    /// Where to serve.
    #[arg(long, global = true, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// How long it takes until it listens.
    #[arg(long, global = true, default_value = "0", value_parser = seconds)]
    start: Duration,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Answers requests.
    Gateway,
    /// Keeps the jobs.
    Queue,
    /// Works on jobs.
    Worker {
        /// URL of the queue, such as `http://queue:8080`.
        #[arg(long)]
        queue: String,
        /// Time that a job takes, in seconds.
        #[arg(long, value_parser = seconds)]
        job: Duration,
    },
    /// Asks each URL as nobody, as itself and as a forger, and prints the answers.
    Ask {
        /// What to ask for.
        #[arg(required = true)]
        urls: Vec<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "ends");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    let mut stop = signal(SignalKind::terminate())?;
    tokio::time::sleep(arguments.start).await;
    let part = match arguments.part {
        Part::Gateway => gateway::routes(),
        Part::Queue => queue::routes(),
        Part::Worker { queue, job } => worker::routes(&queue, job)?,
        Part::Ask { urls } => return ask::all(&urls).await,
    };
    let routes = Router::new()
        .route("/health", get(|| async { "ok" }))
        .merge(memory::routes())
        .merge(part);
    let listener = TcpListener::bind(arguments.listen).await?;
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move { stop.recv().await.unwrap_or_default() })
        .await?;
    Ok(())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (0.0..=600.0).contains(number))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "must be seconds from 0 to 600".to_owned())
}
