//! What the routes share.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{lists::Lists, websocket::SocketMetrics};
use crate::{
    cache::Cache,
    database::Database,
    identity::{Passwords, TokenKey},
    knowledge::Embedder,
    queue::Observer,
    telemetry::{operations::Readiness, request::RequestMetrics},
};

/// Bounds of the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a token is good for.
    pub token_lifetime: Duration,
    /// Longest time of a request, its body included.
    pub request: Duration,
}

/// The state of the gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The only way to PostgreSQL: a bounded pool with the profiler.
    pub database: Database,
    /// Signs and checks access tokens.
    pub tokens: TokenKey,
    /// Compares passwords with their hashes, as many at once as there are cores.
    pub passwords: Passwords,
    /// What need not be asked again.
    pub cache: Cache,
    /// The stand-in for an embedding model.
    pub embedder: Embedder,
    /// CPU time of the stand-in for a recogniser, for each half second.
    pub recognition_cost: Duration,
    /// The queue as it was seen last.
    pub queue: Observer,
    /// Counts and times answered requests, by route.
    pub requests: Arc<RequestMetrics>,
    /// Counts open WebSockets, their messages and the voice frames that were sent.
    pub socket_metrics: Arc<SocketMetrics>,
    /// A permit for each WebSocket that may still be opened.
    pub sockets: Arc<Semaphore>,
    /// Whether new requests are wanted.
    pub readiness: Readiness,
    /// How long tokens are good for and requests may take.
    pub limits: Limits,
    /// How lists are read.
    pub lists: Lists,
    /// Ends when WebSockets are to reconnect elsewhere.
    pub stop: CancellationToken,
}

impl FromRef<Gateway> for TokenKey {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.tokens.clone()
    }
}
