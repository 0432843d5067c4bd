//! Memory that a pod holds because it was told to.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use parking_lot::Mutex;
use serde::Deserialize;

/// Most that a pod holds, in MiB: a limit of the container comes first in each test.
const MOST: usize = 4096;

type Held = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    mebibytes: usize,
}

pub(super) fn routes() -> Router {
    Router::new()
        .route("/memory", post(hold))
        .with_state(Held::default())
}

async fn hold(State(held): State<Held>, Json(wanted): Json<Wanted>) -> StatusCode {
    if wanted.mebibytes > MOST {
        return StatusCode::BAD_REQUEST;
    }
    // Ones: pages of zeros would never be touched.
    *held.lock() = vec![1; wanted.mebibytes << 20];
    StatusCode::NO_CONTENT
}
