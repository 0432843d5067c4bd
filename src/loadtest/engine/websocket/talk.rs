//! What is said on a connection, and what is waited for.

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
use crate::loadtest::{
    engine::worker::Worker,
    http::{Detail, Failure},
    scenario::websocket::{Part, Payload, WebSocket},
};

/// What goes on on a held connection.
pub(super) struct Talk<'a> {
    worker: &'a Worker,
    websocket: &'a WebSocket,
    values: &'a BTreeMap<String, String>,
    /// What the sequence waits for.
    round: Round<'a>,
    /// Parts of the sequence that are sent or awaited and not done yet.
    owed: usize,
    /// Messages on their way, and when each was due.
    echoes: VecDeque<(Message, Duration)>,
    /// When the next message is due.
    message: Option<Duration>,
    /// Messages are due before this only.
    until: Duration,
    voice: Listening,
    pings: Pings,
    /// When answers of the sequence are waited for no more, once the user goes home.
    last: Option<Duration>,
    /// Nothing is owed any more.
    done: bool,
}

/// Who ended a connection on which all went as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server, which has said goodbye.
    ByServer,
    /// We, who still have to.
    ByUs,
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// The moment has come.
    Moment,
    /// The user goes home.
    Home,
    /// What was waited for is there.
    Met,
    /// The server has closed the connection, as it may.
    Closed,
}

impl<'a> Talk<'a> {
    /// Nothing is said yet.
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

    /// Does everything that the scenario wants, until its end or until the user goes home.
    pub(super) async fn hold(mut self, line: &mut Line, home: &CancellationToken) -> Result<Ended, Failure> {
        let ended = match self.run(line, home).await? {
            Woken::Closed => Ended::ByServer,
            Woken::Moment | Woken::Home | Woken::Met => Ended::ByUs,
        };
        self.done = true;
        Ok(ended)
    }

    async fn run(&mut self, line: &mut Line, home: &CancellationToken) -> Result<Woken, Failure> {
        for parts in rounds(&self.websocket.sequence) {
            match self.round(parts, line, home).await? {
                Woken::Closed => return Ok(Woken::Closed),
                Woken::Home => return self.settle(line).await,
                Woken::Moment | Woken::Met => {}
            }
        }
        let now = self.now();
        self.message = self.websocket.message.is_some().then_some(now);
        if self.websocket.voice.is_some() {
            self.voice = Listening::Until(now);
        }
        let end = now + self.websocket.hold;
        match self.listen(line, end, Some(home), |_, _| false).await? {
            Woken::Closed => Ok(Woken::Closed),
            Woken::Moment | Woken::Home | Woken::Met => self.settle(line).await,
        }
    }

    /// Sends no more than what was due by now, and waits for what is under way: each of it has its own time limit.
    async fn settle(&mut self, line: &mut Line) -> Result<Woken, Failure> {
        self.until = self.now();
        self.pings.end();
        self.voice.ask_no_more();
        self.owed = 0;
        let never = Duration::MAX;
        self.listen(line, never, None, |talk, _| talk.is_settled()).await
    }

    fn is_settled(&self) -> bool {
        self.echoes.is_empty()
            && self.message_due().is_none()
            && self.pings.sent().is_none()
            && !self.voice.is_asked()
    }

    /// Sends and receives until a moment, until the user goes home, or until something is there.
    async fn listen(
        &mut self,
        line: &mut Line,
        until: Duration,
        home: Option<&CancellationToken>,
        there: impl Fn(&Self, &Line) -> bool,
    ) -> Result<Woken, Failure> {
        loop {
            if there(self, line) {
                return Ok(Woken::Met);
            }
            let wake = self.next_moment(line).map_or(until, |next| next.min(until));
            tokio::select! {
                () = gone(home) => return Ok(Woken::Home),
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

    /// When something is to be sent, or has been waited for too long.
    fn next_moment(&self, line: &Line) -> Option<Duration> {
        let timeout = self.worker.timeout;
        let limits = self.echoes.front().map(|(_, due)| *due + timeout);
        let limits = limits
            .into_iter()
            .chain(self.pings.sent().map(|sent| sent + timeout));
        let limits = limits.chain(self.voice.limit(timeout));
        // What cannot be sent yet is due when the line is free.
        let due = [self.message_due(), self.pings.due(), self.voice.due()];
        let due = due.into_iter().flatten().filter(|_| line.is_idle());
        limits.chain(due).min()
    }

    fn message_due(&self) -> Option<Duration> {
        self.message.filter(|due| *due < self.until)
    }

    /// Ends the connection where something was waited for too long, and sends what is due.
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
            self.echoes.push_back((text.clone(), due));
            self.message = Some(due + message.every);
            line.queue(text);
        }
        if let (Some(voice), Some(due)) = (&self.websocket.voice, self.voice.due())
            && due <= now
        {
            self.voice = Listening::Asked(now);
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

    /// The server has closed it: as it may where nothing is missing and its code is one that the scenario names.
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
            // Voice comes in frames of bytes; an echo of bytes is known by what was sent.
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

    /// A message that answers one of ours, or one of the server's own, which only counts as received.
    fn data(&mut self, message: &Message) -> Result<(), Failure> {
        self.worker.recorder.websockets(|all| all.messages.1 += 1);
        match self.round.take(message) {
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

    /// Counts everything that was waited for in vain, with the time it was waited for: also what was due and could not
    /// even be sent.
    fn give_up(&mut self) {
        let now = self.now();
        let mut due: Vec<Duration> = self.echoes.drain(..).map(|(_, due)| due).collect();
        due.extend(self.round.outstanding());
        if let (Some(message), Some(next)) = (&self.websocket.message, self.message_due()) {
            let later = std::iter::successors(Some(next), |due| Some(*due + message.every));
            due.extend(later.take_while(|due| *due < now.min(self.until)));
        }
        let (ping, voice) = (self.pings.sent(), self.voice.asked());
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
    /// Also when the test is over before the connection is.
    fn drop(&mut self) {
        if !self.done {
            self.give_up();
        }
    }
}

async fn gone(home: Option<&CancellationToken>) {
    match home {
        Some(home) => home.cancelled().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(worker: &Worker, moment: Duration) {
    tokio::time::sleep(moment.saturating_sub(worker.share.clock.elapsed())).await;
}
