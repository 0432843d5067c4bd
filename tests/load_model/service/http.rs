//! The service port: HTTP/1.1 and HTTP/2 with prior knowledge. Every request takes a slot of capacity.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header::RETRY_AFTER},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::any,
    serve::ListenerExt as _,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::{Service, endpoints, websocket};
use crate::Error;

/// Serves until the listener fails.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) -> Result<(), Error> {
    let routes = Router::new()
        .route("/ws", any(websocket::upgrade))
        .with_state(Arc::clone(&service))
        .merge(endpoints::routes())
        .layer(middleware::from_fn_with_state(service, take_slot));
    // Without TCP_NODELAY, small answers would wait for the acknowledgement of earlier ones.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "setting TCP_NODELAY");
        }
    });
    axum::serve(listener, routes).await?;
    Ok(())
}

async fn take_slot(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    match service.admit().await {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let body = Json(json!({"error": refusal.to_string()}));
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], body).into_response()
        }
    }
}
