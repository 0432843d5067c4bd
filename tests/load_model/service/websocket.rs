//! WebSockets: texts are echoed, and voice comes in frames of 20 ms. Connecting takes a slot of capacity;
//! messages take none.
//!
//! The handshake uses hyper's upgrade with tungstenite, because axum's own would bring a second version of
//! tungstenite.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::Instant;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, handshake::server::create_response_with_body, protocol::Role},
};

use super::Service;

/// Time from one voice frame to the next.
const FRAME: Duration = Duration::from_millis(20);
/// Bytes of a voice frame: 20 ms of 16-bit samples at 16 kHz.
const FRAME_BYTES: usize = 640;

/// Answers the handshake, then talks on the connection.
pub(super) async fn upgrade(State(service): State<Arc<Service>>, mut request: Request) -> Response {
    let answer = match create_response_with_body(&request, Body::empty) {
        Ok(answer) => answer,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let upgraded = match upgrading.await {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(error) => return tracing::debug!(%error, "upgrading to WebSocket"),
        };
        service.websockets.fetch_add(1, Ordering::Relaxed);
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Server, None).await;
        if let Err(error) = talk(stream).await {
            tracing::debug!(%error, "talking on a WebSocket");
        }
        service.websockets.fetch_sub(1, Ordering::Relaxed);
    });
    answer
}

/// A request for voice.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Wish {
    Voice { frames: u32 },
}

/// Voice frames that are still to be sent, and the moment at which the next one is due.
struct Voice {
    frames: u32,
    due: Instant,
}

async fn talk(mut stream: WebSocketStream<TokioIo<Upgraded>>) -> Result<(), tungstenite::Error> {
    let mut voice: Option<Voice> = None;
    loop {
        let due = voice.as_ref().map(|voice| voice.due);
        tokio::select! {
            () = sleep_until(due) => {
                stream.send(Message::binary(vec![0; FRAME_BYTES])).await?;
                // The moment is counted from the first frame, so that a late frame does not delay the others.
                voice = voice.and_then(Voice::after_one);
            }
            received = stream.next() => match received {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                    Ok(Wish::Voice { frames }) => voice = Voice::more(voice, frames),
                    Err(_) => stream.send(Message::Text(text)).await?,
                },
                // tungstenite answers pings and close frames itself.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}

impl Voice {
    /// What is left after one frame was sent; `None` after the last one.
    fn after_one(self) -> Option<Self> {
        let frames = self.frames.saturating_sub(1);
        (frames > 0).then_some(Self {
            frames,
            due: self.due + FRAME,
        })
    }

    /// Adds frames to those that are still to be sent. Without any, the first one is due now.
    fn more(voice: Option<Self>, frames: u32) -> Option<Self> {
        let voice = voice.unwrap_or(Self {
            frames: 0,
            due: Instant::now(),
        });
        let frames = voice.frames.saturating_add(frames);
        (frames > 0).then_some(Self { frames, ..voice })
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
