//! The sequence of a connection: messages sent and awaited in order, before it is held.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Talk, Woken};
use crate::{
    core::loadtest::scenario::websocket::{Part, Payload},
    loadtest::{
        engine::websocket::{failures, line::Line, round::Round},
        http::Failure,
    },
};

impl<'a> Talk<'a> {
    /// One round of the sequence. A user that goes home in it sends nothing more, and has its answers.
    pub(super) async fn round(
        &mut self,
        parts: &'a [Part],
        line: &mut Line,
        home: &CancellationToken,
    ) -> Result<Woken, Failure> {
        self.round = Round::new(parts);
        let mut awaited = 0;
        for part in parts {
            if home.is_cancelled() && !matches!(part, Part::Await(..)) {
                return Ok(Woken::Home);
            }
            let woken = match part {
                Part::Pause(pause) => {
                    let until = self.now() + *pause;
                    self.listen(line, until, Some(home), |_, _| false).await?
                }
                Part::Send(payload) => self.say(payload, line).await?,
                Part::Await(_, within) => {
                    awaited += 1;
                    self.hear(awaited, within.unwrap_or(self.worker.timeout), line)
                        .await?
                }
            };
            if matches!(woken, Woken::Home | Woken::Closed) {
                return Ok(woken);
            }
        }
        Ok(Woken::Met)
    }

    async fn say(&mut self, payload: &Payload, line: &mut Line) -> Result<Woken, Failure> {
        let (now, timeout) = (self.now(), self.worker.timeout);
        line.queue(self.message_of(payload)?);
        self.round.asked(now);
        self.owed = self.owed.saturating_sub(1);
        let sent = |_: &Self, line: &Line| line.is_idle();
        match self.listen(line, now + timeout, None, sent).await? {
            Woken::Moment => Err(failures::nothing("a message could not be sent", timeout)),
            woken => Ok(woken),
        }
    }

    /// Waits for the first so many awaited messages.
    async fn hear(&mut self, count: usize, within: Duration, line: &mut Line) -> Result<Woken, Failure> {
        let within = within.min(self.worker.timeout);
        let until = self.now() + within;
        let came = |talk: &Self, _: &Line| talk.round.has(count);
        let woken = self.listen(line, until, None, came).await?;
        if woken == Woken::Moment {
            return Err(failures::nothing("no awaited message", within));
        }
        self.owed = self.owed.saturating_sub(1);
        Ok(woken)
    }
}
