//! VoiceAssist's endpoints as its load tests use them, each with a small answer.
//!
//! Every password is accepted. Tokens never expire and are not stored, so users can go on after a restart.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, Request, State},
    http::{
        Method, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::records::Records;

/// Prefix of every token.
const TOKEN: &str = "voiceassist-";
/// Most entries of a list.
const PAGE: usize = 20;

#[derive(Debug, Default)]
struct Site {
    sessions: Records,
    documents: Records,
}

type Shared = State<Arc<Site>>;

/// All routes. Anything else is answered 404.
pub(super) fn routes() -> Router {
    let with_token = Router::new()
        .route("/api/users/me", get(me))
        .route("/api/sessions", get(sessions).post(create_session))
        .route("/api/sessions/{id}", get(session).delete(delete_session))
        .route("/api/sessions/{id}/messages", get(messages).post(add_message))
        .route("/api/documents", get(documents).post(create_document))
        .route("/api/documents/{id}", get(document).delete(delete_document))
        .route("/api/search", get(search))
        .route("/api/admin/{*what}", any(admin))
        .route_layer(middleware::from_fn(need_token));
    Router::new()
        .route("/", get(|| async { Json(json!({"service": "voiceassist"})) }))
        .route("/health", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/api/auth/login", post(login))
        .route("/api/feature-flags", get(feature_flags))
        .merge(with_token)
        .fallback(not_found)
        .with_state(Arc::new(Site::default()))
}

async fn need_token(request: Request<Body>, next: Next) -> Response {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if token.is_some_and(|token| token.starts_with(TOKEN)) {
        return next.run(request).await;
    }
    let body = Json(json!({"error": "a bearer token from /api/auth/login is needed"}));
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], body).into_response()
}

async fn not_found() -> Response {
    missing("no such endpoint")
}

fn missing(what: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": what}))).into_response()
}

fn created(body: Value) -> Response {
    (StatusCode::CREATED, Json(body)).into_response()
}

#[derive(Debug, Deserialize)]
struct Credentials {
    #[serde(alias = "username")]
    email: String,
    password: String,
}

async fn login(Json(credentials): Json<Credentials>) -> Response {
    if credentials.email.is_empty() || credentials.password.is_empty() {
        let body = Json(json!({"error": "email and password must not be empty"}));
        return (StatusCode::UNAUTHORIZED, body).into_response();
    }
    let user: String = credentials
        .email
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    Json(json!({"token": format!("{TOKEN}{user}"), "token_type": "bearer", "expires_in": 3600}))
        .into_response()
}

async fn me() -> Json<Value> {
    Json(json!({"id": 1, "name": "Ada", "plan": "pro"}))
}

async fn feature_flags() -> Json<Value> {
    Json(json!({"voice": true, "search_v2": true, "beta": false}))
}

fn page(records: &Records) -> Json<Value> {
    let items: Vec<Value> = records
        .latest(PAGE)
        .into_iter()
        .map(|id| json!({"id": id}))
        .collect();
    Json(json!({"items": items}))
}

async fn sessions(State(site): Shared) -> Json<Value> {
    page(&site.sessions)
}

async fn create_session(State(site): Shared) -> Response {
    created(json!({"id": site.sessions.create(), "title": "New session"}))
}

async fn session(State(site): Shared, Path(id): Path<u64>) -> Response {
    match site.sessions.parts(id) {
        Some(messages) => Json(json!({"id": id, "messages": messages})).into_response(),
        None => missing("no such session"),
    }
}

async fn delete_session(State(site): Shared, Path(id): Path<u64>) -> Response {
    deleted(&site.sessions, id, "no such session")
}

fn deleted(records: &Records, id: u64, otherwise: &str) -> Response {
    if records.remove(id) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        missing(otherwise)
    }
}

async fn messages(State(site): Shared, Path(id): Path<u64>) -> Response {
    match site.sessions.parts(id) {
        Some(messages) => {
            let items: Vec<Value> = (1..=messages)
                .rev()
                .take(PAGE)
                .map(|id| json!({"id": id}))
                .collect();
            Json(json!({"items": items})).into_response()
        }
        None => missing("no such session"),
    }
}

async fn add_message(State(site): Shared, Path(id): Path<u64>) -> Response {
    match site.sessions.add_part(id) {
        Some(message) => created(json!({"id": message, "session": id, "answer": "Certainly."})),
        None => missing("no such session"),
    }
}

async fn documents(State(site): Shared) -> Json<Value> {
    page(&site.documents)
}

async fn create_document(State(site): Shared) -> Response {
    created(json!({"id": site.documents.create(), "status": "indexed"}))
}

async fn document(State(site): Shared, Path(id): Path<u64>) -> Response {
    match site.documents.parts(id) {
        Some(_) => Json(json!({"id": id, "status": "indexed"})).into_response(),
        None => missing("no such document"),
    }
}

async fn delete_document(State(site): Shared, Path(id): Path<u64>) -> Response {
    deleted(&site.documents, id, "no such document")
}

#[derive(Debug, Deserialize)]
struct Search {
    q: String,
}

async fn search(Query(search): Query<Search>) -> Json<Value> {
    Json(json!({"query": search.q, "results": [{"id": 1, "score": 0.9}]}))
}

/// Endpoints of administrators: users, metrics, the audit log, feature flags and more.
async fn admin(method: Method, Path(what): Path<String>) -> Response {
    match method {
        Method::GET => Json(json!({"resource": what, "items": [{"id": 1}]})).into_response(),
        Method::POST => created(json!({"resource": what, "id": 1})),
        Method::PUT | Method::PATCH => Json(json!({"resource": what, "id": 1})).into_response(),
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}
