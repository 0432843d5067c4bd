//! A checked scenario: what the engine runs. A value of these types is valid by construction.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use super::{
    check::Check,
    duration::{self, ParseDurationError},
    extract::Extract,
    hosts::Hosts,
    inputs::Inputs,
    part::Part,
    payload::Payload,
    rate::Profile,
    template::Template,
    websocket::WebSocket,
};

pub use super::{
    journey::{Journey, Known},
    lanes::{Lane, Load, Model, Several},
};

/// A checked scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Name of the scenario: of its file, or of a built-in scenario.
    pub name: String,
    /// One line that describes the scenario.
    pub description: String,
    /// The load over time.
    pub load: Load,
    /// Closed model with one load: the load ends when users have ended this many journeys in all, if that is
    /// before the end of its profile.
    pub iterations: Option<u64>,
    /// What is done once before the load. It has requests only, and each of them is sent once.
    pub setup: Option<Journey>,
    /// What is done once after the load.
    pub teardown: Option<Journey>,
    /// Other hosts that steps go to.
    pub hosts: Hosts,
    /// What users do. There is at least one journey, and not all weights are zero.
    pub journeys: Vec<Journey>,
    /// What must hold for the run to pass.
    pub thresholds: Vec<Threshold>,
    /// Longest wait for one answer. A request that waits longer has failed.
    pub timeout: Duration,
    /// When the run is given up early.
    pub abort: Option<Abort>,
    /// What users send besides constant text and what they extract from answers.
    pub inputs: Inputs,
    /// The part of the load that this process sends. Everything else here is about the whole load.
    pub part: Part,
}

/// The limit of the first threshold on the p95 latency of all requests; `None` without one.
pub fn objective(thresholds: &[Threshold]) -> Option<Duration> {
    let bounds = thresholds.iter().filter(|threshold| threshold.step.is_none());
    bounds.into_iter().find_map(|threshold| match threshold.bound {
        Bound::Latency(share, limit) if (share - 0.95).abs() < 1e-9 => Some(limit),
        _ => None,
    })
}

impl Scenario {
    /// The limit of its first threshold on the p95 latency of all requests.
    pub fn objective(&self) -> Option<Duration> {
        objective(&self.thresholds)
    }

    /// The loads that run side by side: those of [`Load::Several`], or the only one, whose users have all
    /// journeys.
    pub fn lanes(&self) -> Vec<Lane> {
        let only = |model, profile: &Profile| {
            vec![Lane {
                name: self.name.clone(),
                model,
                profile: profile.clone(),
                iterations: self.iterations,
                journeys: (0..self.journeys.len()).collect(),
            }]
        };
        match &self.load {
            Load::Open(profile) => only(Model::Open, profile),
            Load::Closed(profile) => only(Model::Closed, profile),
            Load::Several(several) => several.lanes().to_vec(),
        }
    }

    /// The number of journeys after which the run ends: that of all loads together. `None` where a load goes on
    /// for as long as its profile.
    pub fn turns(&self) -> Option<u64> {
        let Load::Several(several) = &self.load else {
            return self.iterations;
        };
        let mut lanes = several.lanes().iter();
        lanes.try_fold(0_u64, |all, lane| Some(all.saturating_add(lane.iterations?)))
    }

    /// Whether each journey is one request. Then journeys per second are requests per second.
    pub fn is_single(&self) -> bool {
        let alternatives = |steps: &[Step]| steps.iter().all(|step| step.weight.is_some());
        let mut journeys = self.journeys.iter();
        journeys.all(|journey| journey.steps.len() == 1 || alternatives(&journey.steps))
    }
}

/// A pause whose length is drawn from an even distribution between two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Think {
    /// Shortest pause; equal to `max` for a pause of fixed length.
    pub min: Duration,
    /// Longest pause; not below `min`.
    pub max: Duration,
}

/// Why a pause was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThinkError {
    /// The text is not a duration.
    #[error(transparent)]
    Duration(#[from] ParseDurationError),
    /// The first duration is longer than the second one.
    #[error("{0:?} begins with the longer one")]
    Reversed(String),
}

impl FromStr for Think {
    type Err = ThinkError;

    /// Reads `2s`, or `2s-10s`.
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
    /// Name in reports; unique in its journey. Steps of the same name in several journeys count together.
    pub name: String,
    /// Whether each user does the step once, and not again with each turn of the journey (a login).
    pub once: bool,
    /// How often the step is done, relative to the weights of the steps beside it that have one: each turn does
    /// one of them. `None`: each turn does the step.
    pub weight: Option<u32>,
    /// The number of the batch in its journey whose requests are sent at once: neighbours with the same number
    /// are one batch. `None`: the step is done alone.
    pub batch: Option<usize>,
    /// Name of the host to which the step goes; `None`: the target.
    pub host: Option<String>,
    /// The request or connection that the step makes.
    pub action: Action,
    /// Pause after the step; `None`: the journey's.
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

    /// Names of the variables in everything that it sends, and in its checks.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Request(request) => {
                let headers = request.headers.iter().map(|(_, value)| value);
                let templates = [&request.path].into_iter().chain(headers);
                let body = request.body.iter().flatten().flat_map(Payload::variables);
                let checks = request.checks.iter().flat_map(Check::variables);
                let sent = templates.flat_map(Template::variables).chain(body);
                sent.chain(checks).collect()
            }
            Self::WebSocket(websocket) => websocket.variables().collect(),
        }
    }
}

/// Whether any step has an action for which `predicate` is true.
pub fn any_action(journeys: &[Journey], predicate: impl Fn(&Action) -> bool) -> bool {
    let mut steps = journeys.iter().flat_map(|journey| &journey.steps);
    steps.any(|step| predicate(&step.action))
}

/// One HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// HTTP method, in upper case.
    pub method: String,
    /// Path and query below the target, beginning with `/`.
    pub path: Template,
    /// Headers of this request besides the journey's.
    pub headers: Vec<(String, Template)>,
    /// Body, in pieces that follow each other; `None`: no body.
    pub body: Option<Vec<Payload>>,
    /// Statuses that count as answered.
    pub expect: Statuses,
    /// Variables that are set from the answer, by name.
    pub extract: BTreeMap<String, Extract>,
    /// Further checks of the answer.
    pub checks: Vec<Check>,
    /// Whether redirects are followed; `None`: as the run says.
    pub follow: Option<bool>,
}

/// Statuses that count as answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// All from 200 to 399.
    Success,
    /// These and no others.
    Only(Vec<u16>),
}

impl Statuses {
    /// These statuses; without any, all from 200 to 399.
    pub fn of(statuses: Vec<u16>) -> Self {
        if statuses.is_empty() {
            Self::Success
        } else {
            Self::Only(statuses)
        }
    }

    /// Whether an answer of this status counts as answered.
    pub fn hold(&self, status: u16) -> bool {
        match self {
            Self::Success => (200..400).contains(&status),
            Self::Only(statuses) => statuses.contains(&status),
        }
    }
}

/// A requirement on a run: what must hold for it to pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The step whose requests are checked; `None`: all requests.
    pub step: Option<String>,
    /// The measured value and its limit.
    pub bound: Bound,
    /// Whether the bound holds where the limit itself was measured: `<=` and `>=`, and not `<` and `>`.
    pub inclusive: bool,
}

impl Threshold {
    /// Whether a measured value is on the low side of a limit.
    pub fn is_low<T: PartialOrd + Copy>(&self, measured: T, limit: T) -> bool {
        if self.inclusive {
            measured <= limit
        } else {
            measured < limit
        }
    }

    /// Whether a measured value is on the high side of a limit.
    pub fn is_high<T: PartialOrd + Copy>(&self, measured: T, limit: T) -> bool {
        self.is_low(limit, measured)
    }
}

/// A bound on something measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The latency quantile (0 to 1) of the requests is below this duration.
    Latency(f64, Duration),
    /// The mean latency of the requests is below this duration.
    Mean(Duration),
    /// At least this share (0 to 1) of the requests takes at most this duration, as in an SLO.
    Within(Duration, f64),
    /// The share (0 to 1) of failed requests is below this.
    Errors(f64),
    /// The number of failed requests is below this.
    Failed(u64),
    /// At least this many requests ended, answered or failed.
    Requests(u64),
    /// The share (0 to 1) of requests that were sent twice is below this.
    Retried(f64),
    /// At least this many requests per second are answered over the whole run.
    Rate(f64),
    /// Latency does not grow by more than this share (0.1 is 10 %) per hour, by the slope of the p95 of each
    /// second.
    Trend(f64),
    /// The quantile (0 to 1) of this kind of duration is below this, over all WebSocket connections.
    Socket(SocketTime, f64, Duration),
    /// At least this share (0 to 1) of the WebSocket connections was made and held until its planned end.
    Held(f64),
    /// At least this many WebSocket connections were held at once.
    HeldAtOnce(u64),
}

/// Kinds of durations of WebSocket connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketTime {
    /// From a message to its echo, or to the message that its sequence awaits.
    RoundTrip,
    /// From the beginning of connecting to the end of the upgrade.
    Connect,
    /// From a ping to its pong.
    Ping,
}

impl Bound {
    /// Whether the bound is on WebSocket connections. Such a bound is on all of them and never on one step.
    pub fn is_of_sockets(self) -> bool {
        matches!(self, Self::Socket(..) | Self::Held(_) | Self::HeldAtOnce(_))
    }
}

/// When a run is given up early: too large a share of the requests fails for too long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Abort {
    /// More than this share (0 to 1) of the requests fails ...
    pub errors: f64,
    /// ... for this long.
    pub over: Duration,
}
