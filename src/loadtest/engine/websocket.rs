//! One WebSocket connection, held: messages that come back, and voice that comes in frames at a fixed distance.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use hyper::header::HeaderName;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, protocol::frame::coding::CloseCode},
};
use tokio_util::sync::CancellationToken;

use super::{journey::Next, recorder::StepId, worker::Worker};
use crate::{
    core::loadtest::scenario::{
        model::{Voice, WebSocket},
        template::Template,
    },
    loadtest::http::{BoxedStream, Failure, connect},
};

/// Connects, holds the connection as long as the scenario wants, and closes it. Connecting counts as the step's request;
/// a connection that is lost while it is held makes it a failed one.
pub(super) async fn hold(
    worker: &Worker,
    step: StepId,
    websocket: &WebSocket,
    headers: &[(HeaderName, Template)],
    values: &BTreeMap<String, String>,
    intended: Duration,
    home: &CancellationToken,
) -> Next {
    let recorder = &worker.recorder;
    let sent = worker.share.clock.elapsed();
    let connected = tokio::time::timeout(worker.timeout, open(worker, websocket, headers, values)).await;
    let failure = match connected.unwrap_or(Err(Failure::Timeout(worker.timeout))) {
        Ok(stream) => {
            let took = worker.share.clock.elapsed().saturating_sub(sent);
            recorder.websockets(|all| {
                all.connected += 1;
                all.connect.record(took);
            });
            recorder.ended(step, intended, Some(sent), None);
            recorder.websockets_held.set(recorder.websockets_held.get() + 1);
            let talk = Talk::new(worker, websocket, values);
            let ended = talk.hold(stream, websocket.hold, home).await;
            recorder
                .websockets_held
                .set(recorder.websockets_held.get().saturating_sub(1));
            if let Err(failure) = &ended {
                recorder.lost(step, failure.clone());
            }
            ended.err()
        }
        Err(failure) => {
            recorder.ended(step, intended, Some(sent), Some(failure.clone()));
            Some(failure)
        }
    };
    let Some(failure) = failure else {
        return Next::Step;
    };
    recorder.websockets(|all| *all.failures.entry(failure.to_string()).or_default() += 1);
    Next::Turn
}

async fn open(
    worker: &Worker,
    websocket: &WebSocket,
    headers: &[(HeaderName, Template)],
    values: &BTreeMap<String, String>,
) -> Result<WebSocketStream<BoxedStream>, Failure> {
    // The upgrade is one of HTTP/1.1, whatever the other requests speak.
    let target = worker.pool.target().over_http1();
    let url = target
        .url(&websocket.path.render(values)?)
        .replacen("http", "ws", 1);
    let mut request = url
        .into_client_request()
        .map_err(|error| Failure::Request(error.to_string()))?;
    for (name, value) in &worker.plan.headers(headers, values)? {
        request.headers_mut().insert(name, value.clone());
    }
    let stream = connect(&target).await?;
    let (stream, _) = client_async(request, stream).await.map_err(failure)?;
    Ok(stream)
}

fn failure(error: tungstenite::Error) -> Failure {
    match error {
        tungstenite::Error::Http(response) => Failure::Status(response.status().as_u16()),
        tungstenite::Error::Io(error) => Failure::connection(&error),
        other => Failure::Connection(other.to_string()),
    }
}

/// What goes on on a held connection.
struct Talk<'a> {
    worker: &'a Worker,
    websocket: &'a WebSocket,
    values: &'a BTreeMap<String, String>,
    /// Messages on their way, and when each was due.
    echoes: VecDeque<(String, Duration)>,
    next_message: Option<Duration>,
    voice: Listening,
}

/// Where a request for voice is.
enum Listening {
    /// Nothing is asked for until then.
    Until(Duration),
    /// Asked for at this moment, nothing has come yet.
    Asked(Duration),
    /// Frames come: how many are still to come, and when the last came.
    Frames(u32, Duration),
    /// The scenario has no voice.
    Never,
}

impl<'a> Talk<'a> {
    fn new(worker: &'a Worker, websocket: &'a WebSocket, values: &'a BTreeMap<String, String>) -> Self {
        let now = worker.share.clock.elapsed();
        Self {
            worker,
            websocket,
            values,
            echoes: VecDeque::new(),
            next_message: websocket.message.is_some().then_some(now),
            voice: if websocket.voice.is_some() {
                Listening::Until(now)
            } else {
                Listening::Never
            },
        }
    }

    async fn hold(
        mut self,
        mut stream: WebSocketStream<BoxedStream>,
        hold: Duration,
        home: &CancellationToken,
    ) -> Result<(), Failure> {
        let end = tokio::time::Instant::now() + hold;
        loop {
            let due = self.next_due();
            tokio::select! {
                () = home.cancelled() => break,
                () = tokio::time::sleep_until(end) => break,
                () = sleep_until(self.worker, due) => self.send(&mut stream).await?,
                received = stream.next() => match received {
                    Some(Ok(message)) => self.receive(message)?,
                    Some(Err(error)) => return Err(failure(error)),
                    None => return Err(Failure::Connection("the server closed it".to_owned())),
                },
            }
        }
        let bye = tungstenite::protocol::CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        // It was held as long as it should be: how the server takes the farewell does not matter.
        let _ = stream.close(Some(bye)).await;
        Ok(())
    }

    fn next_due(&self) -> Option<Duration> {
        let voice = match self.voice {
            Listening::Until(at) => Some(at),
            _ => None,
        };
        self.next_message.into_iter().chain(voice).min()
    }

    /// Sends what is due now.
    async fn send(&mut self, stream: &mut WebSocketStream<BoxedStream>) -> Result<(), Failure> {
        let now = self.worker.share.clock.elapsed();
        if let (Some(message), Some(due)) = (&self.websocket.message, self.next_message)
            && due <= now
        {
            let text = message.text.render(self.values)?;
            self.echoes.push_back((text.clone(), due));
            self.next_message = Some(due + message.every);
            stream.send(Message::text(text)).await.map_err(failure)?;
            self.worker.recorder.websockets(|all| all.messages.0 += 1);
        }
        if let (Some(Voice { request, .. }), Listening::Until(at)) = (&self.websocket.voice, &self.voice)
            && *at <= now
        {
            let text = request.render(self.values)?;
            self.voice = Listening::Asked(now);
            stream.send(Message::text(text)).await.map_err(failure)?;
            self.worker.recorder.websockets(|all| all.messages.0 += 1);
        }
        Ok(())
    }

    fn receive(&mut self, message: Message) -> Result<(), Failure> {
        match message {
            Message::Text(text) => self.echo(text.as_str()),
            Message::Binary(_) => {
                self.frame();
                Ok(())
            }
            Message::Close(_) => Err(Failure::Connection("the server closed it".to_owned())),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// A text that came back; others are the server's own and count as received.
    fn echo(&mut self, text: &str) -> Result<(), Failure> {
        self.worker.recorder.websockets(|all| all.messages.1 += 1);
        let Some(place) = self.echoes.iter().position(|(sent, _)| sent == text) else {
            return Ok(());
        };
        if place > 0 {
            return Err(Failure::Check("messages came back out of order".to_owned()));
        }
        if let Some((_, due)) = self.echoes.pop_front() {
            let took = self.worker.share.clock.elapsed().saturating_sub(due);
            self.worker.recorder.websockets(|all| all.round_trip.record(took));
        }
        Ok(())
    }

    fn frame(&mut self) {
        let Some(voice) = &self.websocket.voice else {
            return;
        };
        let now = self.worker.share.clock.elapsed();
        let left = match self.voice {
            Listening::Asked(asked) => {
                let took = now.saturating_sub(asked);
                self.worker.recorder.websockets(|all| all.first_byte.record(took));
                voice.frames.saturating_sub(1)
            }
            Listening::Frames(left, last) => {
                let off = now.saturating_sub(last).abs_diff(voice.gap);
                self.worker.recorder.websockets(|all| all.jitter.record(off));
                left.saturating_sub(1)
            }
            Listening::Until(_) | Listening::Never => return,
        };
        self.voice = if left == 0 {
            Listening::Until(now + voice.pause)
        } else {
            Listening::Frames(left, now)
        };
    }
}

async fn sleep_until(worker: &Worker, due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due.saturating_sub(worker.share.clock.elapsed())).await,
        None => std::future::pending().await,
    }
}
