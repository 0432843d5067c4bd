//! A WebSocket connection as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One WebSocket connection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebSocketDocument {
    /// Path below the target.
    pub path: String,
    /// How long it is held, after its sequence if it has one; then it may be 0s. Echoes that are under way at its end are
    /// waited for.
    pub hold: String,
    /// What is done in order once it is connected, before `message` and `voice` begin.
    #[serde(default)]
    pub sequence: Vec<PartDocument>,
    /// Messages that the server sends back as they are.
    #[serde(default)]
    pub message: Option<MessageDocument>,
    /// Voice that the server sends on request.
    #[serde(default)]
    pub voice: Option<VoiceDocument>,
    /// Time from one ping to the next, such as 20s; each must be answered by a pong. Default: no pings.
    #[serde(default)]
    pub ping: Option<String>,
    /// Bytes that a message of the server may have, in one frame or several; a larger one fails the step. Default:
    /// 16777216 (16 MiB).
    #[serde(default)]
    pub max_message_bytes: Option<u32>,
    /// Close codes with which the server may end the connection early, such as [1000, 1001]. Default: none; the step has
    /// failed when the server ends the connection.
    #[serde(default)]
    pub close: Vec<u16>,
}

/// One part of a sequence: exactly one of `send`, `sendBinary`, `await` and `pause`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartDocument {
    /// A text to send; it may have variables.
    #[serde(default)]
    pub send: Option<String>,
    /// Bytes to send, in base64.
    #[serde(default)]
    pub send_binary: Option<String>,
    /// A message to wait for: `contains TEXT` or `json /pointer`. One that came since the messages before it were begun to
    /// be sent counts too; others are ignored.
    #[serde(default, rename = "await")]
    pub awaits: Option<String>,
    /// Longest wait for it. Default, and most: the scenario's timeout.
    #[serde(default)]
    pub within: Option<String>,
    /// How long to do nothing.
    #[serde(default)]
    pub pause: Option<String>,
}

/// Messages at fixed moments: exactly one of `text` and `binary`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageDocument {
    /// A text to send; it may have variables.
    #[serde(default)]
    pub text: Option<String>,
    /// Bytes to send, in base64.
    #[serde(default)]
    pub binary: Option<String>,
    /// Time from one to the next.
    pub every: String,
}

/// Voice frames.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VoiceDocument {
    /// The message that asks for them.
    pub request: String,
    /// How many frames are expected.
    pub frames: u32,
    /// Distance of frames as they should come, such as 20ms.
    pub gap: String,
    /// Pause from the last frame to the next request.
    pub pause: String,
}
