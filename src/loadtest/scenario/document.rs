//! The types of a scenario file, in YAML or JSON. Their docs are the descriptions of the published schema
//! (`vas test schema`). Must not: check more than types; that is `parse`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    form::document::FieldDocument, inputs::document::DataDocument, websocket::document::WebSocketDocument,
};

/// A scenario of vas test: the load, what users do, and what must hold for the run to pass.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// One line that describes the scenario.
    #[serde(default)]
    pub description: String,
    /// The load over time: exactly one of `users` and `rate`.
    #[serde(default)]
    pub load: Option<LoadDocument>,
    /// Several loads side by side instead of `load`, 16 at most, each with its own start and shape.
    #[serde(default)]
    pub loads: Vec<LaneDocument>,
    /// Longest wait for one answer. A request that waits longer has failed.
    #[serde(default = "ten_seconds")]
    pub timeout: String,
    /// When the run is given up early. Default: more than 90 % of the requests fail for ten seconds.
    #[serde(default)]
    pub abort: Option<AbortDocument>,
    /// What must hold for the run to pass: `latency p95 < 500ms`, `latency mean < 200ms`,
    /// `within 500ms >= 95%`, `errors < 1%`, `errors < 10`, `requests >= 1000`, `retried < 1%`, `rate >= 95/s`,
    /// `trend < 10%/h`, also with `<=` and `>`; for one step with `step NAME: ` before it. Of all WebSocket connections: `ws_rtt p95 < 200ms`, `ws_connect p95 < 1s`, `ws_ping p95 < 100ms`,
    /// `ws_held >= 99%` (made and held to their end), `ws_held >= 50` (at once).
    #[serde(default)]
    pub thresholds: Vec<String>,
    /// What is done once, before the load begins: log in, create data. Every user has what its steps extract.
    /// Its requests are not in the figures; if one fails, the load does not begin.
    #[serde(default)]
    pub setup: Option<OnceDocument>,
    /// What is done once, after the load has ended: remove what `setup` created.
    #[serde(default)]
    pub teardown: Option<OnceDocument>,
    /// URLs of other hosts, by a name of letters, digits and `_`, 16 at most: `auth: https://auth.example`. Steps
    /// with `host: auth` go there.
    #[serde(default)]
    pub hosts: BTreeMap<String, String>,
    /// What users do. Each user gets one journey, drawn by weight.
    pub journeys: Vec<JourneyDocument>,
    /// Files with rows, by a name of letters, digits and `_`. Their columns are variables: `{{users.email}}`.
    #[serde(default)]
    pub data: BTreeMap<String, DataDocument>,
    /// Values that are made up at the beginning of each turn, by the name of their variable: `uuid`,
    /// `randomInt FROM TO`, `randomString LENGTH`, `sequence`, `sequence START`, `now`, `now unix`,
    /// `now unixMs`.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// With a seed each user gets the same random values, rows and pauses in each run.
    #[serde(default)]
    #[schemars(range(max = u32::MAX))]
    pub seed: Option<u32>,
}

fn ten_seconds() -> String {
    "10s".to_owned()
}

/// The load over time.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadDocument {
    /// Closed model: number of users, each of whom begins its journey again after it has ended.
    #[serde(default)]
    pub users: Option<Vec<StageDocument>>,
    /// Open model: journeys that begin per second, whatever the service does.
    #[serde(default)]
    pub rate: Option<Vec<StageDocument>>,
    /// With `users`: the run ends when they have ended this many journeys in all, and with the stages at the
    /// latest.
    #[serde(default)]
    #[schemars(range(min = 1, max = u32::MAX))]
    pub iterations: Option<u32>,
}

/// One of several loads side by side.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LaneDocument {
    /// Name, unique in the scenario.
    pub name: String,
    /// Time from the begin of the run to the begin of this load, such as 30s. Default: none.
    #[serde(default)]
    pub start: Option<String>,
    /// Names of the journeys of its users. Default: all journeys.
    #[serde(default)]
    pub journeys: Vec<String>,
    /// Closed model: number of users, each of whom begins its journey again after it has ended.
    #[serde(default)]
    pub users: Option<Vec<StageDocument>>,
    /// Open model: journeys that begin per second, whatever the service does.
    #[serde(default)]
    pub rate: Option<Vec<StageDocument>>,
    /// With `users`: these begin no further journey when they have ended this many in all.
    #[serde(default)]
    #[schemars(range(min = 1, max = u32::MAX))]
    pub iterations: Option<u32>,
}

/// A part of the load. `duration` with `target` ramps from the level before; with `at` it jumps there and stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StageDocument {
    /// Length of the stage, such as 2m.
    #[serde(default)]
    pub duration: Option<String>,
    /// Level at the end of the stage. The first stage ramps from 0.
    #[serde(default)]
    pub target: Option<f64>,
    /// Constant level of the stage.
    #[serde(default)]
    pub at: Option<f64>,
    /// Sawtooth: the level goes from one value to another and jumps back, again and again for `duration`.
    #[serde(default)]
    pub sawtooth: Option<SawtoothDocument>,
    /// File with a trace: lines of `seconds,level`. Each level holds until the next line; the last line ends
    /// the trace.
    #[serde(default)]
    pub trace: Option<String>,
}

/// A sawtooth load.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SawtoothDocument {
    /// Level at the beginning of each tooth.
    pub from: f64,
    /// Level at the end of each tooth.
    pub to: f64,
    /// Length of one tooth.
    pub every: String,
}

/// When a run is given up early.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbortDocument {
    /// Share of failed requests above which the run is given up, such as 50%.
    pub errors: String,
    /// How long the share must be above that, such as 10s.
    pub over: String,
}

/// Requests that are sent once, one after another. Cookies are kept from step to step.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnceDocument {
    /// Headers of every request; values may have `{{variables}}`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Steps in their order: requests, without `once` and `weight`.
    pub steps: Vec<StepDocument>,
}

/// What one kind of user does.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JourneyDocument {
    /// Name, unique in the scenario.
    pub name: String,
    /// Share of the users, relative to the other weights.
    #[serde(default = "one")]
    #[schemars(range(max = u32::MAX))]
    pub weight: u32,
    /// Pause after each step that has no pause of its own: `2s`, or `2s-10s` for a random length between
    /// these. Default: none.
    #[serde(default)]
    pub think: Option<String>,
    /// Whether users keep cookies as browsers do, for as long as they live. Default: no.
    #[serde(default)]
    pub cookies: bool,
    /// Headers of every request; values may have `{{variables}}`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Steps in their order.
    pub steps: Vec<StepDocument>,
}

fn one() -> u32 {
    1
}

/// One step: an HTTP request (`get`, `head`, `post`, `put`, `patch`, `delete` or `options` with the path) a
/// `websocket`, or several requests in `parallel`.
///
/// Paths, headers, bodies and messages may have variables. `{{user}}` is the number of the user,
/// `{{iteration}}` counts the journeys that the user has begun before. Others come from `data` and `values`,
/// or are extracted from earlier answers of the same journey. `${TOKEN}` is the variable TOKEN of the
/// environment, whose value is shown nowhere; `$${` is a plain `${`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepDocument {
    /// Name in reports. Default: method and path. Steps of the same name in several journeys count together.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether each user does the step once, and not again with each turn of the journey (a login).
    #[serde(default)]
    pub once: bool,
    /// Steps with a weight that follow each other are alternatives: each turn does one of them, drawn by weight.
    #[serde(default)]
    #[schemars(range(max = u32::MAX))]
    pub weight: Option<u32>,
    /// Name of one of `hosts`, to which the step goes instead of the target. The journey's headers and those of
    /// flags are not sent there.
    #[serde(default)]
    pub host: Option<String>,
    /// GET this path below the target.
    #[serde(default)]
    pub get: Option<String>,
    /// HEAD this path below the target: the answer has no body.
    #[serde(default)]
    pub head: Option<String>,
    /// OPTIONS of this path below the target.
    #[serde(default)]
    pub options: Option<String>,
    /// POST to this path below the target.
    #[serde(default)]
    pub post: Option<String>,
    /// PUT to this path below the target.
    #[serde(default)]
    pub put: Option<String>,
    /// PATCH this path below the target.
    #[serde(default)]
    pub patch: Option<String>,
    /// DELETE this path below the target.
    #[serde(default)]
    pub delete: Option<String>,
    /// Headers of this request besides the journey's.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body; sent as application/json unless a header says otherwise.
    #[serde(default)]
    pub body: Option<String>,
    /// Fields of a form, sent as application/x-www-form-urlencoded instead of `body`. Values are encoded.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// Parts of a form with files, sent as multipart/form-data instead of `body`.
    #[serde(default)]
    pub multipart: Vec<FieldDocument>,
    /// File beside the scenario with the body, instead of `body`. Its bytes are sent as they are, without
    /// variables, as application/json unless a header says otherwise.
    #[serde(default)]
    pub body_file: Option<String>,
    /// Statuses that count as answered. Default: 200 to 399.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// Variables set from the answer: `json:/token` (JSON pointer), `regex:id=([0-9]+)` (the first group of the
    /// first match in the body), `css:input[name=csrf]@value` (an attribute of the first element selected; without
    /// `@` its text), `header:location` or `cookie:session` (one that the answer sets).
    #[serde(default)]
    pub extract: BTreeMap<String, String>,
    /// Further checks of the answer: `contains TEXT`, `matches REGEX`, `json /pointer` (there is a value),
    /// `json /pointer == VALUE`, `size < 10KiB` (also <=, >, >=, ==), `header NAME`, `header NAME == TEXT`,
    /// `header NAME matches REGEX`; with `!=` for another value, and with `not ` before it for the opposite.
    /// Texts and values may have variables. Bodies are decoded first (gzip, deflate, br, zstd).
    #[serde(default)]
    pub checks: Vec<String>,
    /// Whether redirects are followed, ten at most, to the answer that counts. Credentials are not sent to
    /// another host. Default: as --follow says.
    #[serde(default)]
    pub follow: Option<bool>,
    /// Pause after this step, instead of the journey's.
    #[serde(default)]
    pub think: Option<String>,
    /// A WebSocket connection, from connect to close.
    #[serde(default)]
    pub websocket: Option<WebSocketDocument>,
    /// Requests that are sent at once, 2 to 16, as a browser loads the parts of a page. The step is over when all
    /// of them are. It has no other fields but `once` and `think`.
    #[serde(default)]
    pub parallel: Vec<StepDocument>,
}
