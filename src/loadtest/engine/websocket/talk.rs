//! The conversation on one connection: what is sent, and what is awaited.

mod sequence;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_util::sync::CancellationToken;

use super::{
    failures,
    line::{Heard, Line},
    pings::Pings,
    round::{Round, Taken, rounds},
    voice::Listening,
};
use crate::{
    engine::worker::Worker,
    http::{Detail, Failure},
    scenario::{
        payload::Payload,
        websocket::{Part, WebSocket},
    },
};

/// The state of the conversation on a held connection.
pub(super) struct Talk<'a> {
    worker: &'a Worker,
    websocket: &'a WebSocket,
    values: &'a BTreeMap<String, String>,
    /// The round of the sequence in progress.
    round: Round<'a>,
    /// Number of messages of the sequence that are still to be sent or awaited.
    owed: usize,
    /// Messages whose echo has not come, each with the moment at which it was due.
    echoes: VecDeque<(Message, Duration)>,
    /// When the next message is due.
    message: Option<Duration>,
    /// Messages that are due at or after this moment are not sent.
    until: Duration,
    voice: Listening,
    pings: Pings,
    /// When the sequence stops waiting for answers. It is set when the user stops.
    last: Option<Duration>,
    /// Set when the conversation ended as it should. Otherwise `drop` counts what was awaited in vain.
    done: bool,
}

/// Who ends a connection on which all went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server, which has sent its close frame.
    ByServer,
    /// We; our close frame is still to be sent.
    ByUs,
}

/// Why `listen` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// The moment has come.
    Moment,
    /// The user stops.
    Stopped,
    /// The condition is met.
    Met,
    /// The server has closed the connection, and the scenario allows that.
    Closed,
}

impl<'a> Talk<'a> {
    /// A conversation in which nothing is said yet.
    pub(super) fn new(
        worker: &'a Worker,
        websocket: &'a WebSocket,
        values: &'a BTreeMap<String, String>,
    ) -> Self {
        let now = worker.share.clock.elapsed();
        let acts = |part: &&Part| !matches!(part, Part::Pause(_));
        Self {
            worker,
            websocket,
            values,
            round: Round::default(),
            owed: websocket.sequence.iter().filter(acts).count(),
            echoes: VecDeque::new(),
            message: None,
            until: Duration::MAX,
            voice: Listening::Never,
            pings: Pings::new(websocket.ping, now),
            last: None,
            done: false,
        }
    }

    /// Does everything that the scenario wants, until the scenario ends or the user stops.
    pub(super) async fn hold(mut self, line: &mut Line, stop: &CancellationToken) -> Result<Ended, Failure> {
        let ended = match self.run(line, stop).await? {
            Woken::Closed => Ended::ByServer,
            Woken::Moment | Woken::Stopped | Woken::Met => Ended::ByUs,
        };
        self.done = true;
        Ok(ended)
    }

    async fn run(&mut self, line: &mut Line, stop: &CancellationToken) -> Result<Woken, Failure> {
        for parts in rounds(&self.websocket.sequence) {
            match self.round(parts, line, stop).await? {
                Woken::Closed => return Ok(Woken::Closed),
                Woken::Stopped => return self.settle(line).await,
                Woken::Moment | Woken::Met => {}
            }
        }
        // The sequence is over. From here on messages, voice and pings run side by side until the end of the
        // hold.
        let now = self.now();
        self.message = self.websocket.message.is_some().then_some(now);
        if self.websocket.voice.is_some() {
            self.voice = Listening::Until(now);
        }
        let end = now + self.websocket.hold;
        match self.listen(line, end, Some(stop), |_, _| false).await? {
            Woken::Closed => Ok(Woken::Closed),
            Woken::Moment | Woken::Stopped | Woken::Met => self.settle(line).await,
        }
    }

    /// Sends only what was due by now, and waits for what is in flight. All of that has its own time limit.
    async fn settle(&mut self, line: &mut Line) -> Result<Woken, Failure> {
        self.until = self.now();
        self.pings.end();
        self.voice.request_no_more();
        // After a stop the rest of the sequence is not missing: the server may close the connection now.
        self.owed = 0;
        let never = Duration::MAX;
        self.listen(line, never, None, |talk, _| talk.is_settled()).await
    }

    fn is_settled(&self) -> bool {
        self.echoes.is_empty()
            && self.message_due().is_none()
            && self.pings.sent().is_none()
            && !self.voice.is_requested()
    }

    /// Sends and receives until a moment, until the user stops, or until the condition `there` holds.
    async fn listen(
        &mut self,
        line: &mut Line,
        until: Duration,
        stop: Option<&CancellationToken>,
        there: impl Fn(&Self, &Line) -> bool,
    ) -> Result<Woken, Failure> {
        loop {
            if there(self, line) {
                return Ok(Woken::Met);
            }
            // Wakes up for the next thing to do, even if that is long before `until`.
            let wake = self.next_moment(line).map_or(until, |next| next.min(until));
            tokio::select! {
                () = cancelled(stop) => return Ok(Woken::Stopped),
                () = sleep_until(self.worker, wake) => {
                    if self.now() >= until {
                        return Ok(Woken::Moment);
                    }
                    self.moment(line)?;
                }
                heard = line.next() => match heard {
                    Some(Ok(Heard::Sent(messages))) => {
                        self.worker.recorder.websockets(|all| all.messages.0 += messages);
                    }
                    Some(Ok(Heard::Message(Message::Close(frame)))) => return self.closed(frame.as_ref()),
                    Some(Ok(Heard::Message(message))) => self.receive(&message)?,
                    Some(Err(error)) => return Err(failures::of(&error)),
                    None => return Err(failures::of(&tokio_tungstenite::tungstenite::Error::ConnectionClosed)),
                },
            }
        }
    }

    /// The next moment at which something is to be sent, or is overdue.
    fn next_moment(&self, line: &Line) -> Option<Duration> {
        let timeout = self.worker.timeout;
        let limits = self.echoes.front().map(|(_, due)| *due + timeout);
        let limits = limits
            .into_iter()
            .chain(self.pings.sent().map(|sent| sent + timeout));
        let limits = limits.chain(self.voice.limit(timeout));
        // What cannot be sent yet has no moment of its own: a written line wakes up the loop.
        let due = [self.message_due(), self.pings.due(), self.voice.due()];
        let due = due.into_iter().flatten().filter(|_| line.is_idle());
        limits.chain(due).min()
    }

    fn message_due(&self) -> Option<Duration> {
        self.message.filter(|due| *due < self.until)
    }

    /// Fails where an answer is overdue, and sends what is due.
    fn moment(&mut self, line: &mut Line) -> Result<(), Failure> {
        let (now, timeout) = (self.now(), self.worker.timeout);
        let over = |since: Duration| since + timeout <= now;
        if self.echoes.front().is_some_and(|(_, due)| over(*due)) {
            return Err(failures::nothing("no echo", timeout));
        }
        if self.pings.sent().is_some_and(over) {
            return Err(failures::nothing("no pong", timeout));
        }
        if self.voice.limit(timeout).is_some_and(|limit| limit <= now) {
            return Err(failures::nothing("no voice", timeout));
        }
        if !line.is_idle() {
            return Ok(());
        }
        if let (Some(message), Some(due)) = (&self.websocket.message, self.message_due())
            && due <= now
        {
            let text = self.message_of(&message.payload)?;
            // The latency of the echo counts from the planned moment, not from the moment of sending.
            self.echoes.push_back((text.clone(), due));
            self.message = Some(due + message.every);
            line.queue(text);
        }
        if let (Some(voice), Some(due)) = (&self.websocket.voice, self.voice.due())
            && due <= now
        {
            self.voice = Listening::Requested(now);
            line.queue(Message::text(voice.request.render(self.values)?));
        }
        if let Some(ping) = self.pings.send(now) {
            line.queue(ping);
        }
        Ok(())
    }

    fn message_of(&self, payload: &Payload) -> Result<Message, Failure> {
        Ok(match payload {
            Payload::Text(text) => Message::text(text.render(self.values)?),
            Payload::Binary(bytes) => Message::binary(bytes.clone()),
        })
    }

    /// The server has closed the connection. It may where nothing is missing and the scenario names the close
    /// code.
    fn closed(&self, frame: Option<&CloseFrame>) -> Result<Woken, Failure> {
        let may = frame.is_some_and(|frame| self.websocket.close.contains(&u16::from(frame.code)));
        let complete = self.owed == 0 && self.echoes.is_empty() && !self.voice.is_open();
        if may && complete {
            Ok(Woken::Closed)
        } else {
            Err(failures::closed(frame))
        }
    }

    fn receive(&mut self, message: &Message) -> Result<(), Failure> {
        match message {
            Message::Text(_) => self.data(message),
            // Voice comes in binary frames. A binary message that equals one of ours is its echo.
            Message::Binary(_) => {
                let awaited = self.echoes.iter().any(|(sent, _)| sent == message);
                let voice = self.websocket.voice.as_ref().filter(|_| !awaited);
                match voice {
                    Some(voice) if self.voice.is_open() => {
                        self.voice.frame(voice, self.now(), &self.worker.recorder);
                        Ok(())
                    }
                    _ => self.data(message),
                }
            }
            Message::Pong(payload) => {
                if let Some(took) = self.pings.pong(payload, self.now()) {
                    self.worker.recorder.websockets(|all| all.ping.record(took));
                }
                Ok(())
            }
            Message::Close(_) | Message::Ping(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Handles a message that answers one of ours, or one of the server's own, which only counts as received.
    fn data(&mut self, message: &Message) -> Result<(), Failure> {
        self.worker.recorder.websockets(|all| all.messages.1 += 1);
        // The sequence comes first: only a message that it does not await may be an echo.
        match self.round.take(message, self.values) {
            Taken::Answer(asked) => {
                self.round_trip(asked);
                return Ok(());
            }
            Taken::Unasked => return Ok(()),
            Taken::Other => {}
        }
        let Some(place) = self.echoes.iter().position(|(sent, _)| sent == message) else {
            return Ok(());
        };
        // Echoes come in the order in which the messages were sent.
        if place > 0 {
            return Err(Failure::Check(
                "messages came back out of order".to_owned(),
                Detail::NONE,
            ));
        }
        if let Some((_, due)) = self.echoes.pop_front() {
            self.round_trip(due);
        }
        Ok(())
    }

    fn round_trip(&self, since: Duration) {
        let took = self.now().saturating_sub(since);
        self.worker.recorder.websockets(|all| all.round_trip.record(took));
    }

    /// Counts everything that was awaited in vain, with the time for which it was awaited. That includes
    /// messages that were due and could not be sent.
    fn give_up(&mut self) {
        let now = self.now();
        // What has not come took at least until now. Without these the quantiles would miss the slowest
        // answers.
        let mut due: Vec<Duration> = self.echoes.drain(..).map(|(_, due)| due).collect();
        due.extend(self.round.outstanding());
        if let (Some(message), Some(next)) = (&self.websocket.message, self.message_due()) {
            let later = std::iter::successors(Some(next), |due| Some(*due + message.every));
            due.extend(later.take_while(|due| *due < now.min(self.until)));
        }
        let (ping, voice) = (self.pings.sent(), self.voice.requested());
        self.worker.recorder.websockets(|all| {
            *all.unanswered.get_or_insert_default() += u64::try_from(due.len()).unwrap_or(u64::MAX);
            for due in due {
                all.round_trip.record(now.saturating_sub(due));
            }
            if let Some(sent) = ping {
                all.ping.record(now.saturating_sub(sent));
            }
            if let Some(asked) = voice {
                all.first_byte.record(now.saturating_sub(asked));
            }
        });
    }

    fn now(&self) -> Duration {
        self.worker.share.clock.elapsed()
    }
}

impl Drop for Talk<'_> {
    /// Runs also when the run is over before the connection is.
    fn drop(&mut self) {
        if !self.done {
            self.give_up();
        }
    }
}

async fn cancelled(stop: Option<&CancellationToken>) {
    match stop {
        Some(stop) => stop.cancelled().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(worker: &Worker, moment: Duration) {
    tokio::time::sleep(moment.saturating_sub(worker.share.clock.elapsed())).await;
}
