//! One round of question and answer: the messages that a sequence sends, and those that it awaits afterwards.

use std::{collections::BTreeMap, time::Duration};

use tokio_tungstenite::tungstenite::Message;

use crate::{
    engine::body::{Body, Known},
    scenario::{check::Check, websocket::Part},
};

/// The parts of a sequence up to its next question: first messages are sent, with pauses, then messages are
/// awaited. An answer may come before the last question is sent, so messages count from the begin of the
/// round.
#[derive(Debug, Default)]
pub(super) struct Round<'a> {
    /// Number of questions to be asked: messages to be sent, of which those at an interval are one.
    questions: usize,
    /// The moment at which each question was asked.
    asked: Vec<Duration>,
    awaited: Vec<Awaited<'a>>,
}

#[derive(Debug)]
struct Awaited<'a> {
    check: &'a Check,
    came: bool,
}

/// What a received message means to a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It answers a message that was sent at this moment.
    Answer(Duration),
    /// It is awaited, but nothing was sent before it, so there is no round-trip time.
    Unasked,
    /// It is not awaited.
    Other,
}

/// The rounds of a sequence. A round ends where something else follows an awaited message: send a, await b,
/// await c, send d, await e are the two rounds (send a, await b, await c) and (send d, await e).
pub(super) fn rounds(sequence: &[Part]) -> impl Iterator<Item = &[Part]> {
    let awaits = |part: &Part| matches!(part, Part::Await(..));
    sequence.chunk_by(move |one, next| !awaits(one) || awaits(next))
}

impl<'a> Round<'a> {
    /// A round of these parts, of which none is done.
    pub(super) fn new(parts: &'a [Part]) -> Self {
        let checks = parts.iter().filter_map(|part| match part {
            Part::Await(check, _) => Some(Awaited { check, came: false }),
            Part::Send(_) | Part::Stream { .. } | Part::Pause(_) => None,
        });
        let asks = |part: &&Part| matches!(part, Part::Send(_) | Part::Stream { .. });
        Self {
            questions: parts.iter().filter(asks).count(),
            asked: Vec::new(),
            awaited: checks.collect(),
        }
    }

    /// Notes that a question was asked.
    pub(super) fn asked(&mut self, at: Duration) {
        self.asked.push(at);
    }

    /// Whether the round has questions, and all of them are sent.
    pub(super) fn is_asked(&self) -> bool {
        self.questions > 0 && self.asked.len() >= self.questions
    }

    /// Whether the first `count` awaited messages have come.
    pub(super) fn has(&self, count: usize) -> bool {
        self.awaited.iter().take(count).all(|awaited| awaited.came)
    }

    /// Takes a message if it is awaited. The first awaited message answers the first question, and so on.
    /// Where there are more awaited messages than questions, the rest answer the last question. `values` are
    /// the user's values of variables.
    pub(super) fn take(&mut self, message: &Message, values: &BTreeMap<String, String>) -> Taken {
        let bytes: &[u8] = match message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
            _ => return Taken::Other,
        };
        let body = Body::new(bytes);
        let known = Known {
            headers: None,
            values,
        };
        // The first check that fits takes the message, even if an earlier awaited message has not come.
        let fits = |awaited: &Awaited| !awaited.came && body.fulfils(awaited.check, known).is_ok();
        let Some(place) = self.awaited.iter().position(fits) else {
            return Taken::Other;
        };
        if let Some(awaited) = self.awaited.get_mut(place) {
            awaited.came = true;
        }
        self.question(place).map_or(Taken::Unasked, Taken::Answer)
    }

    /// The moments of the questions that are not answered yet.
    pub(super) fn outstanding(&self) -> impl Iterator<Item = Duration> {
        let places = self.awaited.iter().enumerate();
        places
            .filter(|(_, awaited)| !awaited.came)
            .filter_map(|(place, _)| self.question(place))
    }

    fn question(&self, place: usize) -> Option<Duration> {
        self.asked.get(place).or(self.asked.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{check::Subject, payload::Payload, template::Template};

    fn awaits(text: &str) -> Part {
        let check = Check {
            negated: false,
            subject: Subject::Contains(Template::text(text)),
            text: format!("contains {text}"),
        };
        Part::Await(check, None)
    }

    fn send() -> Part {
        Part::Send(Payload::Binary(Vec::new()))
    }

    #[test]
    fn a_round_ends_with_what_it_awaits() {
        let sequence = [
            awaits("welcome"),
            send(),
            Part::Pause(Duration::ZERO),
            awaits("a"),
            awaits("b"),
            send(),
        ];
        let lengths: Vec<usize> = rounds(&sequence).map(<[Part]>::len).collect();
        assert_eq!(lengths, [1, 4, 1]);
    }

    #[test]
    fn answers_are_found_in_any_order_each_once_and_count_from_their_question() {
        let parts = [send(), send(), awaits("a"), awaits("b"), awaits("b")];
        let (mut round, none) = (Round::new(&parts), BTreeMap::new());
        let at = Duration::from_secs;
        round.asked(at(1));
        assert!(!round.is_asked());
        // The first question may be answered before the second is sent.
        assert_eq!(round.take(&Message::text("an a"), &none), Taken::Answer(at(1)));
        assert_eq!(round.take(&Message::text("an a"), &none), Taken::Other);
        round.asked(at(2));
        assert!(round.is_asked());
        assert_eq!(round.outstanding().collect::<Vec<_>>(), [at(2), at(2)]);
        assert!(round.has(1) && !round.has(2));
        assert_eq!(
            round.take(&Message::binary(b"b".to_vec()), &none),
            Taken::Answer(at(2))
        );
        assert_eq!(round.take(&Message::text("b"), &none), Taken::Answer(at(2)));
        assert!(round.has(3));
        assert_eq!(round.take(&Message::text("b"), &none), Taken::Other);
    }

    #[test]
    fn what_is_awaited_before_anything_was_sent_is_no_answer() {
        let parts = [awaits("welcome")];
        let (mut round, none) = (Round::new(&parts), BTreeMap::new());
        assert!(!round.is_asked());
        assert_eq!(round.outstanding().count(), 0);
        assert_eq!(round.take(&Message::text("welcome"), &none), Taken::Unasked);
        assert!(round.has(1));
    }
}
