//! A scenario that cannot be wrong: what the engine runs.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use super::{
    duration::{self, ParseDurationError},
    rate::Profile,
    template::Template,
    websocket::WebSocket,
};

/// Variables that every user has: its number, and how often it has begun its journey before.
pub const GIVEN: [&str; 2] = ["user", "iteration"];

/// A scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name: the file's, or a built-in one.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// How much load, over time.
    pub load: Load,
    /// What users do; at least one journey, weights not all zero.
    pub journeys: Vec<Journey>,
    /// What has to hold.
    pub thresholds: Vec<Threshold>,
    /// Longest wait for one answer; then the request has failed.
    pub timeout: Duration,
    /// When to give up early.
    pub abort: Option<Abort>,
}

/// The bound that thresholds set on the p95 of all requests.
pub fn objective(thresholds: &[Threshold]) -> Option<Duration> {
    let bounds = thresholds.iter().filter(|threshold| threshold.step.is_none());
    bounds.into_iter().find_map(|threshold| match threshold.bound {
        Bound::Latency(share, limit) if (share - 0.95).abs() < 1e-9 => Some(limit),
        _ => None,
    })
}

impl Scenario {
    /// The bound that it sets on the p95 of all requests.
    pub fn objective(&self) -> Option<Duration> {
        objective(&self.thresholds)
    }

    /// Whether each journey is one request: then rates of journeys are rates of requests.
    pub fn is_single(&self) -> bool {
        self.journeys.iter().all(|journey| journey.steps.len() == 1)
    }
}

/// How much load, over time.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Journeys that begin per second, whatever the service does: the load that users bring.
    Open(Profile),
    /// Users, each of whom begins its journey again when it has ended it, after a pause.
    Closed(Profile),
}

impl Load {
    /// The course of the load.
    pub fn profile(&self) -> &Profile {
        match self {
            Self::Open(profile) | Self::Closed(profile) => profile,
        }
    }
}

/// What one kind of user does.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// Unique name.
    pub name: String,
    /// Share of the users, relative to the other weights.
    pub weight: u32,
    /// Pause after each step that has none of its own; none in the open model unless given.
    pub think: Think,
    /// Headers of every request, such as `Authorization: Bearer {{token}}`; not of those before the step that gives
    /// their variables a value.
    pub headers: Vec<(String, Template)>,
    /// Steps, in order; at least one.
    pub steps: Vec<Step>,
}

/// A pause of a length drawn evenly between two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Think {
    /// Shortest.
    pub min: Duration,
    /// Longest; not below `min`.
    pub max: Duration,
}

/// Why a pause was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThinkError {
    /// See [`ParseDurationError`].
    #[error(transparent)]
    Duration(#[from] ParseDurationError),
    /// The bounds are the wrong way round.
    #[error("{0:?} begins with the longer one")]
    Reversed(String),
}

impl FromStr for Think {
    type Err = ThinkError;

    /// `2s`, or `2s-10s`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        let (min, max) = (duration::parse(min.trim())?, duration::parse(max.trim())?);
        if min > max {
            return Err(ThinkError::Reversed(text.to_owned()));
        }
        Ok(Self { min, max })
    }
}

/// One step of a journey.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Name in reports; unique in its journey. Equal names in several journeys count together.
    pub name: String,
    /// Done once by each user, not again with each turn of the journey (a login).
    pub once: bool,
    /// What is done.
    pub action: Action,
    /// Pause after it; the journey's where there is none.
    pub think: Option<Think>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// One HTTP request.
    Request(Request),
    /// One WebSocket connection, from connect to close.
    WebSocket(WebSocket),
}

impl Action {
    /// Whether it is a WebSocket connection.
    pub fn is_websocket(&self) -> bool {
        matches!(self, Self::WebSocket(_))
    }
}

/// Whether any step does what is wanted.
pub fn any_action(journeys: &[Journey], wanted: impl Fn(&Action) -> bool) -> bool {
    let mut steps = journeys.iter().flat_map(|journey| &journey.steps);
    steps.any(|step| wanted(&step.action))
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Method, upper case.
    pub method: String,
    /// Path and query below the target, beginning with `/`.
    pub path: Template,
    /// Headers besides the journey's.
    pub headers: Vec<(String, Template)>,
    /// Body, if there is one.
    pub body: Option<Template>,
    /// Statuses that count as answered.
    pub expect: Statuses,
    /// Variables set from the answer.
    pub extract: BTreeMap<String, Extract>,
    /// What else an answer has to fulfil.
    pub checks: Vec<BodyCheck>,
    /// Whether redirects are followed; as the run says where there is none.
    pub follow: Option<bool>,
}

/// Statuses that count as answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// 200 to 399.
    Success,
    /// These.
    Only(Vec<u16>),
}

impl Statuses {
    /// Whether this one counts.
    pub fn hold(&self, status: u16) -> bool {
        match self {
            Self::Success => (200..400).contains(&status),
            Self::Only(statuses) => statuses.contains(&status),
        }
    }
}

/// Where a variable's value is found in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extract {
    /// A JSON pointer into the body (RFC 6901), such as `/token` or `/items/0/id`.
    Json(String),
    /// A header's value.
    Header(String),
}

/// A check of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyCheck {
    /// It contains this text.
    Contains(String),
    /// It has something at this JSON pointer.
    Json(String),
}

/// What has to hold for a run to pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// For the requests of this step only.
    pub step: Option<String>,
    /// What is bounded, and how.
    pub bound: Bound,
}

/// A bound on something measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The latency that a share of the requests (0 to 1) does not exceed is below this.
    Latency(f64, Duration),
    /// At least a share of the requests (0 to 1) takes at most this: an SLO.
    Within(Duration, f64),
    /// The share of failed requests (0 to 1) is below this.
    Errors(f64),
    /// The share of requests that were sent twice (0 to 1) is below this.
    Retried(f64),
    /// At least this many requests per second are answered, over the whole run.
    Rate(f64),
    /// Latency does not grow by more than this share (0.1 is 10 %) per hour, by the slope of the p95 of each second.
    Trend(f64),
    /// The duration of this kind that a share of them (0 to 1) does not exceed is below this, over all WebSocket
    /// connections.
    Socket(SocketTime, f64, Duration),
    /// At least this share (0 to 1) of the WebSocket connections was made and held as long as it should be.
    Held(f64),
    /// At least so many WebSocket connections were held at once.
    HeldAtOnce(u64),
}

/// Durations of WebSocket connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketTime {
    /// From a message to its echo, or to the message that its sequence awaits.
    RoundTrip,
    /// From the begin of connecting to the end of the upgrade.
    Connect,
    /// From a ping to its pong.
    Ping,
}

impl Bound {
    /// Whether it is about WebSocket connections, and then about all of them.
    pub fn is_of_sockets(self) -> bool {
        matches!(self, Self::Socket(..) | Self::Held(_) | Self::HeldAtOnce(_))
    }
}

/// When to give up early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Abort {
    /// More than this share (0 to 1) of the requests fails ...
    pub errors: f64,
    /// ... over this time.
    pub over: Duration,
}
