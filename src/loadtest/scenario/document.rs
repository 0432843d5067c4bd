//! A scenario as it is written, in YAML or JSON. What each field means is published as a schema from these types
//! (`vas test schema`). Must not: check more than types; that is `parse`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::websocket::document::WebSocketDocument;

/// A scenario of vas test: how much load, what users do, what has to hold.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// One line about it.
    #[serde(default)]
    pub description: String,
    /// How much load, over time: exactly one of `users` and `rate`.
    pub load: LoadDocument,
    /// Longest wait for one answer; then the request has failed.
    #[serde(default = "ten_seconds")]
    pub timeout: String,
    /// When to give up early. Default: more than 90 % of the requests fail for ten seconds.
    #[serde(default)]
    pub abort: Option<AbortDocument>,
    /// What has to hold: `latency p95 < 500ms`, `within 500ms >= 95%`, `errors < 1%`, `retried < 1%`, `rate >= 95/s`,
    /// `trend < 10%/h`; for one step with `step NAME: ` before it. Of all WebSocket connections: `ws_rtt p95 < 200ms`,
    /// `ws_connect p95 < 1s`, `ws_ping p95 < 100ms`, `ws_held >= 99%` (made and held to their end), `ws_held >= 50` (at
    /// once).
    #[serde(default)]
    pub thresholds: Vec<String>,
    /// What users do; each user is dealt one journey, by weight.
    pub journeys: Vec<JourneyDocument>,
}

fn ten_seconds() -> String {
    "10s".to_owned()
}

/// How much load, over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadDocument {
    /// Closed model: users, each of whom begins its journey again when it has ended it.
    #[serde(default)]
    pub users: Option<Vec<StageDocument>>,
    /// Open model: journeys that begin per second, whatever the service does.
    #[serde(default)]
    pub rate: Option<Vec<StageDocument>>,
}

/// A part of the load. `duration` with `target` ramps from the level before; with `at` it jumps there and stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StageDocument {
    /// How long it takes, such as 2m.
    #[serde(default)]
    pub duration: Option<String>,
    /// The level at its end; the first stage ramps from 0.
    #[serde(default)]
    pub target: Option<f64>,
    /// The level all along.
    #[serde(default)]
    pub at: Option<f64>,
    /// Teeth: from a level to another, and back at once, again and again for `duration`.
    #[serde(default)]
    pub sawtooth: Option<SawtoothDocument>,
    /// A trace: lines of `seconds,level`, each level until the next line; the last line ends it.
    #[serde(default)]
    pub trace: Option<String>,
}

/// Teeth of a load.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SawtoothDocument {
    /// Level at the begin of each tooth.
    pub from: f64,
    /// Level at its end.
    pub to: f64,
    /// Length of one tooth.
    pub every: String,
}

/// When to give up early.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbortDocument {
    /// More than this share of the requests fails, such as 50%.
    pub errors: String,
    /// For so long.
    pub over: String,
}

/// What one kind of user does.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JourneyDocument {
    /// Unique name.
    pub name: String,
    /// Share of the users, relative to the other weights.
    #[serde(default = "one")]
    pub weight: u32,
    /// Pause after each step that has none of its own: `2s`, or `2s-10s` for one drawn evenly. Default: none.
    #[serde(default)]
    pub think: Option<String>,
    /// Headers of every request; values may have `{{variables}}`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Steps, in order.
    pub steps: Vec<StepDocument>,
}

fn one() -> u32 {
    1
}

/// One step: an HTTP request (`get`, `post`, `put`, `patch` or `delete` with the path) or a `websocket`.
///
/// Paths, headers, bodies and messages may have variables: `{{user}}` is the number of the user, `{{iteration}}` how often
/// it has begun its journey before, and others are extracted from earlier answers of the same journey.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepDocument {
    /// Name in reports. Default: method and path. Equal names in several journeys count together.
    #[serde(default)]
    pub name: Option<String>,
    /// Done once by each user, not again with each turn of the journey (a login).
    #[serde(default)]
    pub once: bool,
    /// Path below the target.
    #[serde(default)]
    pub get: Option<String>,
    /// Path below the target.
    #[serde(default)]
    pub post: Option<String>,
    /// Path below the target.
    #[serde(default)]
    pub put: Option<String>,
    /// Path below the target.
    #[serde(default)]
    pub patch: Option<String>,
    /// Path below the target.
    #[serde(default)]
    pub delete: Option<String>,
    /// Headers besides the journey's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body; sent as application/json unless a header says otherwise.
    #[serde(default)]
    pub body: Option<String>,
    /// Statuses that count as answered. Default: 200 to 399.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// Variables set from the answer: `json:/token` (JSON pointer) or `header:location`.
    #[serde(default)]
    pub extract: BTreeMap<String, String>,
    /// What else an answer has to fulfil: `contains TEXT` or `json /pointer`. Bodies are looked at without their encoding
    /// (gzip, deflate, br, zstd).
    #[serde(default)]
    pub checks: Vec<String>,
    /// Whether redirects are followed, ten at most, to the answer that counts; not with credentials to another host.
    /// Default: as --follow says.
    #[serde(default)]
    pub follow: Option<bool>,
    /// Pause after it, instead of the journey's.
    #[serde(default)]
    pub think: Option<String>,
    /// A WebSocket connection, from connect to close.
    #[serde(default)]
    pub websocket: Option<WebSocketDocument>,
}
