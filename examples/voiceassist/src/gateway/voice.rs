//! `/ws/voice?session=ID`, with a token: frames of 20 ms go up, words come down.
//!
//! ```text
//! client   binary, 640 bytes, again and again      {"type":"end"}
//! server   {"type":"partial","text":"the patient","milliseconds":1000}, after each word
//!          {"type":"final","text":...,"milliseconds":...,"job":ID}: the job adds the transcript to the session
//! ```
//!
//! An utterance has at most a minute, and a frame has 640 bytes: what is longer or of another size ends the line with 1008.

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    sessions,
    speech::{FRAME, Utterance, recognise},
    state::Gateway,
    websocket::{self, PING, SILENCE, SLOW, ticks},
};
use crate::{
    database::DatabaseError,
    http::{Params, Problem},
    identity::Caller,
    queue::{Work, enqueue},
};

/// Frames of the longest utterance: a minute.
const LONGEST: u32 = 3000;

#[derive(Debug, Deserialize)]
pub(super) struct Session {
    session: Uuid,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request {
    End,
}

pub(super) async fn talk(
    State(gateway): State<Gateway>,
    Caller(caller): Caller,
    Params(Session { session }): Params<Session>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    if !sessions::is_open(&gateway.database, session, caller.user).await? {
        return Err(Problem::not_found("open session"));
    }
    let (place, upgrade) = websocket::admitted(&gateway, upgrade)?;
    Ok(upgrade.on_upgrade(async move |mut socket| {
        gateway.socket_metrics.opened();
        let close = serve(&gateway, session, &mut socket).await;
        gateway.socket_metrics.closed();
        let _ = timeout(SLOW, socket.send(Message::Close(close))).await;
        drop(place);
    }))
}

/// Serves the line until it ends; returns what to close it with.
async fn serve(gateway: &Gateway, session: Uuid, socket: &mut WebSocket) -> Option<CloseFrame> {
    let mut utterance = Utterance::default();
    let mut pings = ticks(PING);
    let mut silent = std::time::Duration::ZERO;
    loop {
        let received = tokio::select! {
            () = gateway.stop.cancelled() => return Some(close(close_code::RESTART, "reconnect")),
            _ = pings.tick() => {
                silent += PING;
                if silent > SILENCE || !sent(socket, Message::Ping(axum::body::Bytes::new())).await {
                    return None;
                }
                continue;
            }
            received = socket.recv() => received?,
        };
        silent = std::time::Duration::ZERO;
        let answer = match received {
            Ok(Message::Binary(frame)) if frame.len() == FRAME && utterance.frames < LONGEST => {
                if !utterance.hear(&frame) {
                    continue;
                }
                recognise(gateway.recognition_cost).await;
                words("partial", &utterance, None)
            }
            Ok(Message::Binary(_)) => {
                return Some(close(
                    close_code::POLICY,
                    "frames of 640 bytes, at most a minute of them",
                ));
            }
            Ok(Message::Text(text)) => match serde_json::from_str(text.as_str()) {
                Ok(Request::End) => {
                    let said = std::mem::take(&mut utterance);
                    match stored(gateway, session, &said).await {
                        Ok(job) => words("final", &said, Some(job)),
                        Err(error) => {
                            tracing::warn!(%error, "a transcript was not accepted");
                            json!({"type": "error", "detail": "the transcript was not accepted: say it again"})
                        }
                    }
                }
                Err(_) => return Some(close(close_code::POLICY, "the one text is {\"type\":\"end\"}")),
            },
            Ok(Message::Ping(_) | Message::Pong(_)) => continue,
            Ok(Message::Close(_)) | Err(_) => return None,
        };
        if !sent(socket, Message::Text(answer.to_string().into())).await {
            return None;
        }
    }
}

fn words(kind: &str, utterance: &Utterance, job: Option<Uuid>) -> Value {
    json!({"type": kind, "text": utterance.text, "milliseconds": utterance.milliseconds(), "job": job})
}

/// Accepts the job that adds the transcript to the session.
async fn stored(gateway: &Gateway, session: Uuid, said: &Utterance) -> Result<Uuid, DatabaseError> {
    let mut transaction = gateway.database.begin().await?;
    let work = Work::Transcribe {
        session,
        frames: said.frames,
        digest: said.digest,
    };
    let job = enqueue(&mut transaction, &work).await?;
    transaction.commit().await?;
    Ok(job)
}

/// Sends it; whether the client took it in time.
async fn sent(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(SLOW, socket.send(message)).await, Ok(Ok(())))
}

fn close(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}
