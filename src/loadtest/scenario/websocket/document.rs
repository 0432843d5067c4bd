//! The types of a WebSocket connection in a scenario file. Their docs are descriptions of the published schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One WebSocket connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebSocketDocument {
    /// Path below the target.
    pub path: String,
    /// How long the connection is held after its sequence. It may be 0s only if there is a sequence. Echoes
    /// that are expected at its end are waited for.
    pub hold: String,
    /// Parts that are done in order once the connection is made, before `message` and `voice` begin.
    #[serde(default)]
    pub sequence: Vec<PartDocument>,
    /// Messages that the server echoes unchanged.
    #[serde(default)]
    pub message: Option<MessageDocument>,
    /// Voice that the server sends on request.
    #[serde(default)]
    pub voice: Option<VoiceDocument>,
    /// Time from one ping to the next, such as 20s; each must be answered by a pong. Default: no pings.
    #[serde(default)]
    pub ping: Option<String>,
    /// Largest message, in bytes, that the server may send, in one frame or several. A larger one fails the
    /// step. Default: 16777216 (16 MiB).
    #[serde(default)]
    #[schemars(range(max = u32::MAX))]
    pub max_message_bytes: Option<u32>,
    /// Close codes with which the server may end the connection early, such as [1000, 1001]. Default: none,
    /// so the step fails when the server ends the connection.
    #[serde(default)]
    pub close: Vec<u16>,
}

/// One part of a sequence: exactly one of `send`, `sendBinary`, `await` and `pause`.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartDocument {
    /// A text to send; it may have variables.
    #[serde(default)]
    pub send: Option<String>,
    /// Bytes to send, in base64.
    #[serde(default)]
    pub send_binary: Option<String>,
    /// How many times the message is sent, such as 50 frames of voice. All of them are one question, which is asked with the
    /// last one. Default: once.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    pub times: Option<u32>,
    /// Time from one of these to the next, such as 20ms.
    #[serde(default)]
    pub every: Option<String>,
    /// A message to wait for, by a check such as `contains TEXT`, `matches REGEX`, `json /pointer` or
    /// `json /pointer == VALUE`. A message that came while the parts before this one were being sent counts too.
    /// Other messages are ignored.
    #[serde(default, rename = "await")]
    pub awaits: Option<String>,
    /// Longest wait for the message. Default, and most: the scenario's timeout.
    #[serde(default)]
    pub within: Option<String>,
    /// How long nothing is sent.
    #[serde(default)]
    pub pause: Option<String>,
}

/// Messages sent at a fixed interval: exactly one of `text` and `binary`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageDocument {
    /// A text to send; it may have variables.
    #[serde(default)]
    pub text: Option<String>,
    /// Bytes to send, in base64.
    #[serde(default)]
    pub binary: Option<String>,
    /// Time from one message to the next.
    pub every: String,
}

/// Voice frames that the server sends on request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoiceDocument {
    /// The message that requests the frames.
    pub request: String,
    /// Number of frames that one request brings.
    #[schemars(range(max = u32::MAX))]
    pub frames: u32,
    /// Expected time from one frame to the next, such as 20ms.
    pub gap: String,
    /// Pause from the last frame to the next request.
    pub pause: String,
}
