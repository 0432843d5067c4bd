//! Reads a WebSocket connection of a scenario file into one that the engine can run.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    LARGEST_MESSAGE, Messages, Part, Voice, WebSocket,
    document::{MessageDocument, PartDocument, VoiceDocument, WebSocketDocument},
};
use crate::scenario::{
    duration, payload::Payload, problem::Problems, step::below_target, template::Template,
};

/// Reads the connection. Its headers are written beside it in the step, so they come as an argument.
pub(in crate::scenario) fn read(
    path: &str,
    document: &WebSocketDocument,
    headers: Vec<(String, Template)>,
    problems: &mut Problems,
) -> WebSocket {
    let sequence = document.sequence.iter().enumerate();
    let sequence: Vec<Part> = sequence
        .map(|(index, document)| part(&format!("{path}.sequence[{index}]"), document, problems))
        .collect();
    for (index, code) in document.close.iter().enumerate() {
        // Only these close codes can be sent in a frame (RFC 6455, section 7.4).
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            problems.add(
                format!("{path}.close[{index}]"),
                format!("{code} is no code that a server can close with; use 1000, 1001 or 3000 to 4999"),
            );
        }
    }
    if document.max_message_bytes == Some(0) {
        problems.add(format!("{path}.maxMessageBytes"), "must be at least 1");
    }
    WebSocket {
        path: below_target(&format!("{path}.path"), &document.path, problems),
        headers,
        hold: if sequence.is_empty() {
            problems.positive(&format!("{path}.hold"), &document.hold)
        } else {
            problems.or(
                &format!("{path}.hold"),
                duration::parse(&document.hold),
                Duration::ZERO,
            )
        },
        sequence,
        message: document
            .message
            .as_ref()
            .map(|message| self::message(&format!("{path}.message"), message, problems)),
        voice: document
            .voice
            .as_ref()
            .map(|voice| self::voice(&format!("{path}.voice"), voice, problems)),
        ping: document
            .ping
            .as_ref()
            .map(|every| problems.positive(&format!("{path}.ping"), every)),
        largest_message: document.max_message_bytes.unwrap_or(LARGEST_MESSAGE),
        close: document.close.clone(),
    }
}

/// One part. What is sent several times is a part too.
fn part(path: &str, document: &PartDocument, problems: &mut Problems) -> Part {
    let part = single(path, document, problems);
    let (times, every) = match (document.times, &document.every) {
        (None, None) => return part,
        (Some(times), Some(every)) => (times, problems.positive(&format!("{path}.every"), every)),
        (Some(_), None) => {
            problems.add(
                format!("{path}.times"),
                "needs the time from one to the next: every: 20ms",
            );
            return part;
        }
        (None, Some(_)) => {
            problems.add(format!("{path}.every"), "needs how many there are: times: 50");
            return part;
        }
    };
    match part {
        Part::Send(payload) => Part::Stream {
            payload,
            times,
            every,
        },
        part => {
            problems.add(format!("{path}.times"), "belongs to a send or a sendBinary");
            part
        }
    }
}

fn single(path: &str, document: &PartDocument, problems: &mut Problems) -> Part {
    if document.within.is_some() && document.awaits.is_none() {
        problems.add(format!("{path}.within"), "belongs to an await");
    }
    match document {
        PartDocument {
            send: Some(text),
            send_binary: None,
            awaits: None,
            pause: None,
            ..
        } => Part::Send(Payload::Text(problems.template(&format!("{path}.send"), text))),
        PartDocument {
            send: None,
            send_binary: Some(text),
            awaits: None,
            pause: None,
            ..
        } => Part::Send(binary(&format!("{path}.sendBinary"), text, problems)),
        PartDocument {
            send: None,
            send_binary: None,
            awaits: Some(text),
            pause: None,
            ..
        } => {
            let field = format!("{path}.await");
            let within = document.within.as_ref();
            let within = within.map(|within| problems.positive(&format!("{path}.within"), within));
            match problems.check(&field, text) {
                Some(check) if check.is_of_body() => Part::Await(check, within),
                Some(_) => {
                    problems.add(field, "a message has no headers; wait for what its text has");
                    Part::Pause(Duration::ZERO)
                }
                None => Part::Pause(Duration::ZERO),
            }
        }
        PartDocument {
            send: None,
            send_binary: None,
            awaits: None,
            pause: Some(text),
            ..
        } => Part::Pause(problems.positive(&format!("{path}.pause"), text)),
        _ => {
            problems.add(path, "must have exactly one of send, sendBinary, await and pause");
            Part::Pause(Duration::ZERO)
        }
    }
}

fn message(path: &str, document: &MessageDocument, problems: &mut Problems) -> Messages {
    let payload = match (&document.text, &document.binary) {
        (Some(text), None) => Payload::Text(problems.template(&format!("{path}.text"), text)),
        (None, Some(text)) => binary(&format!("{path}.binary"), text, problems),
        (Some(_), Some(_)) | (None, None) => {
            problems.add(path, "must have exactly one of text and binary");
            Payload::Binary(Vec::new())
        }
    };
    Messages {
        payload,
        every: problems.positive(&format!("{path}.every"), &document.every),
    }
}

fn binary(path: &str, text: &str, problems: &mut Problems) -> Payload {
    let bytes = STANDARD.decode(text);
    let bytes = bytes.map_err(|_| "must be base64, with its = at the end");
    Payload::Binary(problems.or(path, bytes, Vec::new()))
}

fn voice(path: &str, document: &VoiceDocument, problems: &mut Problems) -> Voice {
    if document.frames == 0 {
        problems.add(format!("{path}.frames"), "must be at least 1");
    }
    Voice {
        request: problems.template(&format!("{path}.request"), &document.request),
        frames: document.frames,
        gap: problems.positive(&format!("{path}.gap"), &document.gap),
        pause: problems.or(
            &format!("{path}.pause"),
            duration::parse(&document.pause),
            Duration::ZERO,
        ),
    }
}
