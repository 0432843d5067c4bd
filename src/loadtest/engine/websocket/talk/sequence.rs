//! The sequence of a connection: messages that are sent and awaited in order, before the connection is held.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Talk, Woken};
use crate::{
    engine::websocket::{failures, line::Line, round::Round},
    http::Failure,
    scenario::{payload::Payload, websocket::Part},
};

impl<'a> Talk<'a> {
    /// Does one round of the sequence. A user that stops during the round sends nothing more. It still waits
    /// for answers if it has sent all questions.
    pub(super) async fn round(
        &mut self,
        parts: &'a [Part],
        line: &mut Line,
        stop: &CancellationToken,
    ) -> Result<Woken, Failure> {
        self.round = Round::new(parts);
        let mut awaited = 0;
        for part in parts {
            let woken = match part {
                Part::Send(_) | Part::Stream { .. } if stop.is_cancelled() => Woken::Stopped,
                Part::Send(payload) => {
                    self.round.asked(self.now());
                    self.say(payload, line).await?
                }
                Part::Stream {
                    payload,
                    times,
                    every,
                } => self.stream(payload, *times, *every, line, stop).await?,
                Part::Pause(pause) => {
                    let until = self.now() + *pause;
                    match self.listen(line, until, Some(stop), |_, _| false).await? {
                        // All questions are sent: the rest of the pause is skipped, and the answers are
                        // awaited.
                        Woken::Stopped if self.round.is_asked() => Woken::Moment,
                        woken => woken,
                    }
                }
                Part::Await(_, within) => {
                    awaited += 1;
                    let within = within.unwrap_or(self.worker.timeout);
                    self.hear(awaited, within, line, stop).await?
                }
            };
            if matches!(woken, Woken::Stopped | Woken::Closed) {
                return Ok(woken);
            }
            if !matches!(part, Part::Pause(_)) {
                self.owed = self.owed.saturating_sub(1);
            }
        }
        Ok(Woken::Met)
    }

    async fn say(&mut self, payload: &Payload, line: &mut Line) -> Result<Woken, Failure> {
        let (now, timeout) = (self.now(), self.worker.timeout);
        line.queue(self.message_of(payload)?);
        let sent = |_: &Self, line: &Line| line.is_idle();
        let woken = self.listen(line, now + timeout, None, sent).await?;
        if woken == Woken::Moment {
            return Err(failures::nothing("a message could not be sent", timeout));
        }
        Ok(woken)
    }

    /// Sends a message several times, each at its moment or as soon after it as the one before is sent.
    async fn stream(
        &mut self,
        payload: &Payload,
        times: u32,
        every: Duration,
        line: &mut Line,
        stop: &CancellationToken,
    ) -> Result<Woken, Failure> {
        let began = self.now();
        for number in 0..times {
            let due = began.saturating_add(every.saturating_mul(number));
            let woken = self.listen(line, due, Some(stop), |_, _| false).await?;
            if woken != Woken::Moment {
                return Ok(woken);
            }
            if number + 1 == times {
                self.round.asked(self.now());
            }
            let woken = self.say(payload, line).await?;
            if woken != Woken::Met {
                return Ok(woken);
            }
        }
        Ok(Woken::Met)
    }

    /// Waits for the first `count` awaited messages. When a user stops, everything that it still awaits
    /// shares one timeout from then on.
    async fn hear(
        &mut self,
        count: usize,
        within: Duration,
        line: &mut Line,
        stop: &CancellationToken,
    ) -> Result<Woken, Failure> {
        let timeout = self.worker.timeout;
        let within = within.min(timeout);
        let until = self.now() + within;
        let came = |talk: &Self, _: &Line| talk.round.has(count);
        let (mut woken, mut waited) = (self.listen(line, until, Some(stop), came).await?, within);
        if woken == Woken::Stopped {
            let now = self.now();
            // `last` is set once for all awaited messages, so that several of them do not each get a timeout.
            let last = *self.last.get_or_insert(now + timeout);
            if last < until {
                waited = timeout;
            }
            woken = self.listen(line, until.min(last), None, came).await?;
        }
        if woken == Woken::Moment {
            return Err(failures::nothing("no awaited message", waited));
        }
        Ok(woken)
    }
}
