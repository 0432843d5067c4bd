//! `worker`: takes jobs from the queue.

use std::{sync::Arc, time::Duration};

use clap::Parser;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use voiceassist::{
    configuration::{DatabaseFlags, OperationsFlags, duration},
    database::DatabaseMetrics,
    http,
    knowledge::Embedder,
    queue::Observer,
    shutdown,
    telemetry::{
        log,
        operations::{self, Readiness},
    },
    worker::{self, JobMetrics, Pace, Worker},
};

/// VoiceAssist's worker: indexing, embedding, transcription.
#[derive(Parser, Debug)]
struct Flags {
    #[command(flatten)]
    database: DatabaseFlags,
    #[command(flatten)]
    operations: OperationsFlags,
    /// Jobs at once
    #[arg(long, env = "CONCURRENCY", default_value_t = 4)]
    concurrency: usize,
    /// How long a job in work is hidden from other workers; it comes back if this one dies
    #[arg(long, env = "VISIBILITY_TIMEOUT", default_value = "30s", value_parser = duration)]
    visibility_timeout: Duration,
    /// Pause before an idle worker looks for jobs again
    #[arg(long, env = "IDLE_PAUSE", default_value = "250ms", value_parser = duration)]
    idle_pause: Duration,
    /// CPU time of the stand-in for a model, for each text
    #[arg(long, env = "EMBEDDING_COST", default_value = "20ms", value_parser = duration)]
    embedding_cost: Duration,
    /// Time that jobs in hand have after the signal to stop; then they are handed back
    #[arg(long, env = "GRACE", default_value = "15s", value_parser = duration)]
    grace: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    log::start();
    let stop = shutdown::on_signal()?;
    let (mut registry, readiness) = (Registry::default(), Readiness::default());
    let database = flags.database.open(DatabaseMetrics::register(&mut registry))?;
    let worker = Worker {
        database: database.clone(),
        embedder: Embedder {
            cost: flags.embedding_cost,
        },
        metrics: JobMetrics::register(&mut registry),
    };
    let queue = Observer::register(&mut registry);
    let limits = http::Limits {
        connections: 64,
        patience: Duration::from_secs(30),
        grace: Duration::from_secs(1),
    };
    let pace = Pace {
        concurrency: flags.concurrency,
        visibility: flags.visibility_timeout,
        idle: flags.idle_pause,
        grace: flags.grace,
    };
    let operations = TcpListener::bind(flags.operations.operations_address).await?;
    let ended = CancellationToken::new();
    tracing::info!(operations = %operations.local_addr()?, "listening");

    let observing = tokio::spawn(queue.run(flags.database.observer()?, ended.clone()));
    let metrics = operations::router(Arc::new(registry), readiness.clone());
    let operating = tokio::spawn(http::serve(operations, metrics, limits, ended.clone()));
    tokio::select! {
        () = database.first_connection() => readiness.set(true),
        () = stop.cancelled() => {}
    }
    tokio::join!(
        worker::run(&worker, pace, &stop),
        worker::keep_house(&database, &stop)
    );
    readiness.set(false);
    ended.cancel();
    operating.await?;
    observing.await?;
    database.close().await;
    Ok(())
}
