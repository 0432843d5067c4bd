//! One WebSocket connection of a scenario: what is sent, what is waited for, and how it may end.
//!
//! ```text
//! document  as it is written            parse  from there to the model
//! ```

pub mod document;
mod parse;

use std::time::Duration;

pub(super) use self::parse::read;
use super::{model::BodyCheck, template::Template};

/// Bytes that a message of the server may have unless the step says otherwise.
pub const LARGEST_MESSAGE: u32 = 16 << 20;

/// One WebSocket connection.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSocket {
    /// Path and query below the target.
    pub path: Template,
    /// Headers of the upgrade besides the journey's.
    pub headers: Vec<(String, Template)>,
    /// How long it is held after its sequence; zero only where there is one.
    pub hold: Duration,
    /// What is done in order, before it is held.
    pub sequence: Vec<Part>,
    /// Messages to be echoed while it is held.
    pub message: Option<Messages>,
    /// Voice to be asked for while it is held.
    pub voice: Option<Voice>,
    /// Time from one ping to the next, from the beginning on; positive.
    pub ping: Option<Duration>,
    /// Bytes that a message of the server may have, in all its frames.
    pub largest_message: u32,
    /// Close codes with which the server may end it before its time.
    pub close: Vec<u16>,
}

/// One part of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A message is sent.
    Send(Payload),
    /// A message that fulfils the check is waited for, at most so long or as long as for any answer.
    Await(BodyCheck, Option<Duration>),
    /// Nothing is sent for so long.
    Pause(Duration),
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Text with variables.
    Text(Template),
    /// Bytes as they are.
    Binary(Vec<u8>),
}

impl Payload {
    /// Its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let text = match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        };
        text.into_iter().flat_map(Template::variables)
    }
}

/// Messages at fixed moments, each of which comes back as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Messages {
    /// What is sent.
    pub payload: Payload,
    /// Time from one to the next; positive.
    pub every: Duration,
}

/// Voice frames that the server sends on request, at a fixed distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// The message that asks for them.
    pub request: Template,
    /// How many frames are expected.
    pub frames: u32,
    /// Distance of frames as they should come.
    pub gap: Duration,
    /// Pause from the last frame to the next request.
    pub pause: Duration,
}

impl WebSocket {
    /// Variables of everything that is sent.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter().map(|(_, value)| value);
        let voice = self.voice.iter().map(|voice| &voice.request);
        let templates = [&self.path].into_iter().chain(headers).chain(voice);
        let parts = self.sequence.iter().filter_map(|part| match part {
            Part::Send(payload) => Some(payload),
            Part::Await(..) | Part::Pause(_) => None,
        });
        let message = self.message.iter().map(|message| &message.payload);
        let payloads = parts.chain(message);
        templates
            .flat_map(Template::variables)
            .chain(payloads.flat_map(Payload::variables))
    }

    /// How long it takes where nothing has to be waited for.
    pub fn duration(&self) -> Duration {
        let pauses = self.sequence.iter().map(|part| match part {
            Part::Pause(pause) => *pause,
            Part::Send(_) | Part::Await(..) => Duration::ZERO,
        });
        pauses.fold(self.hold, Duration::saturating_add)
    }
}

#[cfg(test)]
mod tests;
