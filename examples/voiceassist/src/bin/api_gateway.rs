//! `api-gateway`: REST and WebSockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::Parser;
use prometheus_client::registry::Registry;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use voiceassist::{
    cache::Cache,
    configuration::{DatabaseFlags, OperationsFlags, duration},
    database::DatabaseMetrics,
    gateway::{self, Gateway, Lists, Rows, SocketMetrics},
    http::{self, Paging},
    identity::{Passwords, TokenKey},
    knowledge::Embedder,
    queue::Observer,
    shutdown,
    telemetry::{
        log,
        operations::{self, Readiness},
        request::RequestMetrics,
    },
};

/// VoiceAssist's API: REST and WebSockets on PostgreSQL.
#[derive(Parser, Debug)]
struct Flags {
    #[command(flatten)]
    database: DatabaseFlags,
    #[command(flatten)]
    operations: OperationsFlags,
    /// Address of the API
    #[arg(long, env = "ADDRESS", default_value = "0.0.0.0:8080")]
    address: SocketAddr,
    /// Secret that signs tokens, the same in all replicas; 32 bytes or more
    #[arg(long, env = "TOKEN_SECRET", hide_env_values = true)]
    token_secret: String,
    /// Where Redis is, redis://host:port/; without it the cache is the memory of each process
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// Longest wait for an answer of Redis; then it is left alone for a second
    #[arg(long, env = "REDIS_TIMEOUT", default_value = "50ms", value_parser = duration)]
    redis_timeout: Duration,
    /// Longest wait of a login for a core that hashes its password; then it is answered with 503
    #[arg(long, env = "LOGIN_WAIT", default_value = "2s", value_parser = duration)]
    login_wait: Duration,
    /// How long a token is good for
    #[arg(long, env = "TOKEN_LIFETIME", default_value = "1h", value_parser = duration)]
    token_lifetime: Duration,
    /// Longest time of a request
    #[arg(long, env = "REQUEST_TIMEOUT", default_value = "10s", value_parser = duration)]
    request_timeout: Duration,
    /// Longest time in which a client sends the head of a request or takes nothing of its answer; an idle connection is kept
    /// for as long
    #[arg(long, env = "CLIENT_TIMEOUT", default_value = "30s", value_parser = duration)]
    client_timeout: Duration,
    /// Connections at once
    #[arg(long, env = "CONNECTIONS", default_value_t = 4096)]
    connections: usize,
    /// WebSockets at once
    #[arg(long, env = "WEBSOCKETS", default_value_t = 2048)]
    websockets: u32,
    /// Whether lookups are cached
    #[arg(long, env = "CACHE", default_value_t = true, action = clap::ArgAction::Set)]
    cache: bool,
    /// How a page of history, documents or audit log finds its first row
    #[arg(long, env = "PAGING", default_value = "key")]
    paging: Paging,
    /// How its rows are read
    #[arg(long, env = "ROWS", default_value = "together")]
    rows: Rows,
    /// CPU time of the stand-in for an embedding model, for each text
    #[arg(long, env = "EMBEDDING_COST", default_value = "0ms", value_parser = duration)]
    embedding_cost: Duration,
    /// CPU time of the stand-in for a recogniser, for each half second of speech
    #[arg(long, env = "RECOGNITION_COST", default_value = "0ms", value_parser = duration)]
    recognition_cost: Duration,
    /// How long to serve on after the signal to stop, until nobody sends requests here any more
    #[arg(long, env = "DRAIN_DELAY", default_value = "5s", value_parser = duration)]
    drain_delay: Duration,
    /// Time that requests in flight have then
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
    let cache = Cache::register(&mut registry, flags.redis_url.as_deref(), flags.redis_timeout)?;
    let cache = if flags.cache { cache } else { cache.off() };
    let closing = CancellationToken::new();
    let sockets = Arc::new(Semaphore::new(usize::try_from(flags.websockets)?));
    let gateway = Gateway {
        database: database.clone(),
        tokens: TokenKey::new(&flags.token_secret)?,
        passwords: Passwords::new(flags.login_wait),
        cache: cache.clone(),
        embedder: Embedder {
            cost: flags.embedding_cost,
        },
        recognition_cost: flags.recognition_cost,
        queue: Observer::register(&mut registry),
        requests: RequestMetrics::register(&mut registry),
        socket_metrics: SocketMetrics::register(&mut registry),
        sockets: Arc::clone(&sockets),
        readiness: readiness.clone(),
        limits: gateway::Limits {
            token_lifetime: flags.token_lifetime,
            request: flags.request_timeout,
        },
        lists: Lists {
            paging: flags.paging,
            rows: flags.rows,
        },
        stop: closing.clone(),
    };
    let warmed = gateway.clone();
    let limits = http::Limits {
        connections: flags.connections,
        patience: flags.client_timeout,
        grace: flags.grace,
    };
    let api = TcpListener::bind(flags.address).await?;
    let operations = TcpListener::bind(flags.operations.operations_address).await?;
    let ended = CancellationToken::new();
    tracing::info!(address = %api.local_addr()?, operations = %operations.local_addr()?, "listening");

    let observing = tokio::spawn(
        gateway
            .queue
            .clone()
            .run(flags.database.observer()?, ended.clone()),
    );
    let following = tokio::spawn(cache.follow_invalidations(ended.clone()));
    let metrics = operations::router(Arc::new(registry), readiness.clone());
    let operating = tokio::spawn(http::serve(operations, metrics, limits, ended.clone()));
    let serving = tokio::spawn(http::serve(
        api,
        gateway::router(gateway),
        limits,
        closing.clone(),
    ));
    let started = async {
        database.first_connection().await;
        gateway::warm(&warmed).await;
    };
    tokio::select! {
        () = started => readiness.set(true),
        () = stop.cancelled() => {}
    }
    stop.cancelled().await;
    readiness.set(false);
    tokio::time::sleep(flags.drain_delay).await;
    closing.cancel();
    serving.await?;
    // Each WebSocket gives its place back when it was told to reconnect.
    let all = sockets.acquire_many(flags.websockets);
    let _ = tokio::time::timeout(flags.grace, all).await;
    ended.cancel();
    operating.await?;
    observing.await?;
    following.await?;
    database.close().await;
    Ok(())
}
