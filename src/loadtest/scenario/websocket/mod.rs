//! One WebSocket connection of a scenario: what is sent, what is waited for, and how it may end.
//!
//! ```text
//! document  as it is written            parse  from there to the model
//! ```

pub mod document;
mod parse;

use std::time::Duration;

pub(super) use self::parse::read;
use super::{check::Check, payload::Payload, template::Template};

/// Largest message, in bytes, that the server may send unless the step says otherwise: 16 MiB.
pub const LARGEST_MESSAGE: u32 = 16 << 20;

/// One WebSocket connection, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSocket {
    /// Path and query below the target.
    pub path: Template,
    /// Headers of the upgrade besides the journey's.
    pub headers: Vec<(String, Template)>,
    /// How long the connection is held after its sequence. Zero only where there is a sequence.
    pub hold: Duration,
    /// Parts that are done in order before the connection is held.
    pub sequence: Vec<Part>,
    /// Messages that are sent while the connection is held, and that the server echoes.
    pub message: Option<Messages>,
    /// Voice that is requested while the connection is held.
    pub voice: Option<Voice>,
    /// Interval of pings, from the beginning of the connection on; positive. `None`: no pings.
    pub ping: Option<Duration>,
    /// Largest message, in bytes, that the server may send, in one frame or several.
    pub largest_message: u32,
    /// Close codes with which the server may end the connection early.
    pub close: Vec<u16>,
}

/// One part of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Sends a message.
    Send(Payload),
    /// Sends a message several times at a fixed interval, such as the frames of a voice. The moments count from the first one,
    /// so that a late one delays no other.
    Stream {
        /// Content of each message.
        payload: Payload,
        /// How many there are; at least 1.
        times: u32,
        /// Time from one to the next; positive.
        every: Duration,
    },
    /// Waits for a message that passes the check, at most this long; `None`: at most the scenario's timeout.
    Await(Check, Option<Duration>),
    /// Sends nothing for this long.
    Pause(Duration),
}

/// Messages sent at a fixed interval, each of which the server echoes unchanged.
#[derive(Clone, Debug, PartialEq)]
pub struct Messages {
    /// Content of each message.
    pub payload: Payload,
    /// Time from one message to the next; positive.
    pub every: Duration,
}

/// Voice frames that the server sends on request, at a fixed interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// The message that requests the frames.
    pub request: Template,
    /// Number of frames that one request brings.
    pub frames: u32,
    /// Expected time from one frame to the next.
    pub gap: Duration,
    /// Pause from the last frame to the next request.
    pub pause: Duration,
}

impl WebSocket {
    /// Names of the variables in everything that is sent, path, headers, messages and voice request, and in
    /// what is awaited.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(_, value)| value);
        let voice = self.voice.iter().map(|voice| &voice.request);
        let templates = [&self.path].into_iter().chain(headers).chain(voice);
        let parts = self.sequence.iter().filter_map(|part| match part {
            Part::Send(payload) | Part::Stream { payload, .. } => Some(payload),
            Part::Await(..) | Part::Pause(_) => None,
        });
        let awaited = self.sequence.iter().filter_map(|part| match part {
            Part::Await(check, _) => Some(check),
            Part::Send(_) | Part::Stream { .. } | Part::Pause(_) => None,
        });
        let message = self.message.iter().map(|message| &message.payload);
        let payloads = parts.chain(message);
        templates
            .flat_map(Template::variables)
            .chain(payloads.flat_map(Payload::variables))
            .chain(awaited.flat_map(Check::variables))
    }

    /// Shortest time that the connection takes: its pauses, what it sends at an interval, and its hold, without waiting for
    /// answers.
    pub fn duration(&self) -> Duration {
        let pauses = self.sequence.iter().map(|part| match part {
            Part::Pause(pause) => *pause,
            Part::Stream { times, every, .. } => every.saturating_mul(times.saturating_sub(1)),
            Part::Send(_) | Part::Await(..) => Duration::ZERO,
        });
        pauses.fold(self.hold, Duration::saturating_add)
    }
}

#[cfg(test)]
mod tests;
