//! The routes, and what surrounds all of them: the log line and metrics, the longest time, the largest body.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{Method, StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
};

use super::{
    audit_log, authentication, documents, feature_flags, messages, overview, search, sessions,
    state::Gateway, users, voice, websocket,
};
use crate::{
    http::Problem,
    telemetry::{operations, request},
};

/// Bytes of the largest body: a document of 200 kB, as JSON.
const BODY: usize = 256 * 1024;

/// All routes.
pub fn router(gateway: Gateway) -> Router {
    let observed = Arc::clone(&gateway.requests);
    let probes = operations::probes(gateway.readiness.clone());
    Router::new()
        .route("/api/auth/login", post(authentication::login))
        .route("/api/auth/refresh", post(authentication::refresh))
        .route("/api/users/me", get(users::me))
        .route("/api/sessions", get(sessions::list).post(sessions::open))
        .route("/api/sessions/{id}", get(sessions::read).delete(sessions::close))
        .route(
            "/api/sessions/{id}/messages",
            get(messages::history).post(messages::send),
        )
        .route("/api/documents", get(documents::list).post(documents::upload))
        .route("/api/documents/{id}", get(documents::read))
        .route("/api/search", get(search::search))
        .route("/api/feature-flags", get(feature_flags::enabled))
        .route("/api/admin/overview", get(overview::overview))
        .route("/api/admin/metrics", get(overview::metrics))
        .route("/api/admin/users", get(users::list).post(users::invite))
        .route("/api/admin/users/{id}", get(users::read))
        .route("/api/admin/users/{id}", delete(users::delete))
        .route(
            "/api/admin/feature-flags",
            get(feature_flags::list).post(feature_flags::set),
        )
        .route("/api/admin/audit-log", get(audit_log::list))
        .route("/ws", get(websocket::talk))
        .route("/ws/voice", get(voice::talk))
        .method_not_allowed_fallback(wrong_method)
        .fallback(no_route)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(gateway.clone(), in_time))
        .layer(middleware::from_fn_with_state(observed, request::observe))
        .with_state(gateway)
        .merge(probes)
}

/// Ends a request that takes too long, also one whose body does not come.
async fn in_time(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(gateway.limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the request took too long").into_response(),
    }
}

async fn no_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} has no {method}", uri.path()),
    )
}
