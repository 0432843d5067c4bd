//! What a job is to do.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Kinds of jobs, each with what it needs to know. Large things stay in their tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "lowercase")]
pub enum Work {
    /// Cuts a document into pieces that a search finds.
    Index {
        /// The document.
        document: Uuid,
    },
    /// Makes the embedding of a message.
    Embed {
        /// The message.
        message: Uuid,
    },
    /// Adds the transcript of a voice session to its messages.
    Transcribe {
        /// The session.
        session: Uuid,
        /// Frames of 20 ms that came.
        frames: u32,
        /// Digest of the frames, from which the stand-in for a recogniser makes words.
        digest: u32,
    },
}

impl Work {
    /// The kind, as it is stored and as metrics name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Index { .. } => "index",
            Self::Embed { .. } => "embed",
            Self::Transcribe { .. } => "transcribe",
        }
    }

    /// The payload, as it is stored.
    pub fn payload(&self) -> Value {
        match self {
            Self::Index { document } => json!({"document": document}),
            Self::Embed { message } => json!({"message": message}),
            Self::Transcribe {
                session,
                frames,
                digest,
            } => {
                json!({"session": session, "frames": frames, "digest": digest})
            }
        }
    }

    /// The work of a stored job; `None` if this version does not know it.
    pub fn parse(kind: &str, payload: &Value) -> Option<Self> {
        serde_json::from_value(json!({"kind": kind, "payload": payload})).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_what_is_read() {
        let id = Uuid::from_u128(7);
        for work in [
            Work::Index { document: id },
            Work::Embed { message: id },
            Work::Transcribe {
                session: id,
                frames: 50,
                digest: 9,
            },
        ] {
            assert_eq!(Work::parse(work.kind(), &work.payload()), Some(work));
        }
        assert_eq!(Work::parse("dance", &json!({})), None);
        assert_eq!(Work::parse("index", &json!({"document": "7"})), None);
    }
}
