//! `/ws`, the open line without a token: a text comes back, and `{"type":"voice","frames":N}` is answered by N binary frames
//! of 640 bytes, 20 ms apart (16 kHz, 16 bits, one channel).
//!
//! Each line has bounds: its messages, its silence, how long it takes to send, and how many lines there are. When the gateway is
//! to end, each is closed with 1012, which says: reconnect.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code::RESTART},
    },
    response::Response,
};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use serde::Deserialize;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{speech::FRAME, state::Gateway};
use crate::http::Problem;

/// Bytes of the largest message.
const MESSAGE: usize = 64 * 1024;

/// Bytes that one read takes. Each line has such a buffer for as long as it is open, and most lines are silent.
const READ_BUFFER: usize = 4 * 1024;

/// The time that a frame of voice lasts.
const GAP: Duration = Duration::from_millis(20);

/// Frames that a client may be owed at once: a minute.
const OWED: u32 = 3000;

/// A client that says nothing is pinged, and one that does not answer is gone.
pub(super) const PING: Duration = Duration::from_secs(20);
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// Longest time in which a client must take what it is sent.
pub(super) const SLOW: Duration = Duration::from_secs(10);

/// Metrics of WebSockets.
#[derive(Debug, Default)]
pub struct SocketMetrics {
    open: Gauge,
    messages: Counter,
    frames: Counter,
}

impl SocketMetrics {
    /// Metrics that `registry` exports.
    pub fn register(registry: &mut Registry) -> Arc<Self> {
        let metrics = Self::default();
        registry.register(
            "voiceassist_websocket_connections",
            "Open WebSockets",
            metrics.open.clone(),
        );
        registry.register(
            "voiceassist_websocket_messages",
            "Texts that came over WebSockets",
            metrics.messages.clone(),
        );
        registry.register(
            "voiceassist_voice_frames",
            "Frames of voice that were sent",
            metrics.frames.clone(),
        );
        Arc::new(metrics)
    }
}

impl SocketMetrics {
    pub(super) fn opened(&self) {
        self.open.inc();
    }

    pub(super) fn closed(&self) {
        self.open.dec();
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request {
    Voice { frames: u32 },
}

/// Takes one of the places for WebSockets, and bounds the messages. The place is given back when it is dropped.
///
/// # Errors
/// If all places are taken.
pub(super) fn admitted(
    gateway: &Gateway,
    upgrade: WebSocketUpgrade,
) -> Result<(OwnedSemaphorePermit, WebSocketUpgrade), Problem> {
    let place = Arc::clone(&gateway.sockets)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("too many WebSockets"))?;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(MESSAGE)
        .max_frame_size(MESSAGE)
        .max_write_buffer_size(4 * MESSAGE);
    Ok((place, upgrade))
}

pub(super) async fn talk(
    State(gateway): State<Gateway>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let (place, upgrade) = admitted(&gateway, upgrade)?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        let metrics = &gateway.socket_metrics;
        metrics.opened();
        let close = serve(&mut socket, metrics, &gateway.stop).await;
        metrics.closed();
        let _ = timeout(SLOW, socket.send(Message::Close(close))).await;
        drop(place);
    }))
}

/// Serves the line until it ends; returns what to close it with.
async fn serve(
    socket: &mut WebSocket,
    metrics: &SocketMetrics,
    stop: &CancellationToken,
) -> Option<CloseFrame> {
    let mut frames = ticks(GAP);
    let mut pings = ticks(PING);
    let mut owed = 0_u32;
    let mut silent = Duration::ZERO;
    loop {
        let answer = tokio::select! {
            () = stop.cancelled() => {
                return Some(CloseFrame { code: RESTART, reason: "reconnect".into() });
            }
            _ = frames.tick(), if owed > 0 => {
                owed -= 1;
                metrics.frames.inc();
                Message::Binary(Bytes::from_static(&[0; FRAME]))
            }
            _ = pings.tick() => {
                silent += PING;
                if silent > SILENCE {
                    return None;
                }
                Message::Ping(Bytes::new())
            }
            received = socket.recv() => {
                silent = Duration::ZERO;
                match received? {
                    Ok(Message::Text(text)) => {
                        metrics.messages.inc();
                        match serde_json::from_str(text.as_str()) {
                            Ok(Request::Voice { frames: more }) => {
                                if owed == 0 {
                                    frames.reset_immediately();
                                }
                                owed = owed.saturating_add(more).min(OWED);
                                continue;
                            }
                            Err(_) => Message::Text(text),
                        }
                    }
                    Ok(Message::Binary(bytes)) => Message::Binary(bytes),
                    Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                    Ok(Message::Close(_)) | Err(_) => return None,
                }
            }
        };
        if !matches!(timeout(SLOW, socket.send(answer)).await, Ok(Ok(()))) {
            return None;
        }
    }
}

pub(super) fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset(); // the first tick is after a period, not at once
    ticks
}
