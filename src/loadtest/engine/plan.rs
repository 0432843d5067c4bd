//! The scenario, made ready to send. Requests without variables are built once.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use hyper::{
    HeaderMap, Method, Uri,
    body::Bytes,
    header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT},
};

use super::{
    content_length,
    detail::StepId,
    error::EngineError,
    inputs::{self, Draws},
};
use crate::{
    http::{Detail, Failure, Outgoing, Protocol, Target},
    scenario::{
        check::Check,
        extract::Extract,
        inputs::{Inputs, Shared},
        model::{Action, Journey, Request, Scenario, Statuses, Step, Think},
        payload::Payload,
        template::Template,
        websocket::WebSocket,
    },
};

/// The User-Agent header, unless the scenario sets one.
const AGENT: &str = concat!("vas-test/", env!("CARGO_PKG_VERSION"));

/// A scenario, ready to send to a target.
#[derive(Debug)]
pub(super) struct Plan {
    journeys: Vec<PlannedJourney>,
    weights: u64,
    names: Vec<String>,
    target: Rc<Target>,
    seed: Option<u64>,
    /// What every user has from the setup.
    shared: BTreeMap<String, String>,
}

/// A journey, ready to send.
#[derive(Debug)]
pub(super) struct PlannedJourney {
    weight: u64,
    /// Steps in the order in which a user does them.
    pub(super) steps: Vec<PlannedStep>,
    /// Whether its users keep cookies.
    pub(super) cookies: bool,
    /// What each turn gets besides what the user extracts from answers.
    pub(super) draws: Draws,
}

/// A step, ready to send.
#[derive(Debug)]
pub(super) struct PlannedStep {
    /// The number under which the step counts.
    pub(super) id: StepId,
    /// Whether only the first journey of each user has this step, see [`Step::once`].
    pub(super) once: bool,
    /// Its weight among the steps beside it that have one, see [`Step::weight`].
    weight: Option<u32>,
    /// Pause after the step.
    pub(super) think: Think,
    /// What the step does.
    pub(super) action: PlannedAction,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum PlannedAction {
    /// Send one request.
    Request(Box<PlannedRequest>),
    /// Hold one WebSocket connection.
    WebSocket(Box<Socket>),
}

/// A WebSocket step, ready to connect but for the values of variables.
#[derive(Debug)]
pub(super) struct Socket {
    /// What to do on the connection.
    pub(super) websocket: WebSocket,
    /// Headers of the upgrade request.
    pub(super) headers: Vec<(HeaderName, Template)>,
}

/// A request, ready to send.
#[derive(Debug)]
pub(super) struct PlannedRequest {
    /// The request, where no variable occurs in it.
    constant: Option<Outgoing>,
    method: Method,
    path: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Vec<Piece>>,
    /// Statuses that count as answered.
    pub(super) expect: Statuses,
    /// Variables that take their values from the answer.
    pub(super) extract: Vec<(String, Extract)>,
    /// Further checks on an answer.
    pub(super) checks: Vec<Check>,
    /// Whether redirects are followed.
    pub(super) follow: bool,
}

impl PlannedJourney {
    /// The step that a turn does at a place: the step there or, where that has a weight, one of those beside
    /// it. The second number is the place at which the turn goes on.
    pub(super) fn at(&self, place: usize, random: &mut fastrand::Rng) -> (usize, usize) {
        let rest = self.steps.get(place..).unwrap_or_default();
        let weights = rest.iter().map_while(|step| step.weight.map(u64::from));
        let count = weights.clone().count();
        if count == 0 {
            return (place, place + 1);
        }
        let all: u64 = weights.clone().sum();
        let mut drawn = if all > 0 { random.u64(..all) } else { 0 };
        let chosen = weights.clone().position(|weight| {
            let here = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            here
        });
        (place + chosen.unwrap_or(0), place + count)
    }
}

/// A piece of the body of a request, ready to send.
#[derive(Debug)]
enum Piece {
    Text(Template),
    Bytes(Bytes),
}

impl Piece {
    fn of(payload: &Payload) -> Self {
        match payload {
            Payload::Text(text) => Self::Text(text.clone()),
            Payload::Binary(bytes) => Self::Bytes(bytes.clone().into()),
        }
    }

    fn is_constant(&self) -> bool {
        match self {
            Self::Text(text) => text.constant().is_some(),
            Self::Bytes(_) => true,
        }
    }

    fn render(&self, values: &BTreeMap<String, String>) -> Result<Bytes, Failure> {
        Ok(match self {
            Self::Text(text) => text.render(values)?.into(),
            Self::Bytes(bytes) => bytes.clone(),
        })
    }
}

impl Plan {
    /// Makes a scenario ready to send.
    ///
    /// # Errors
    /// When a step has a method, path or header that HTTP does not allow.
    pub(super) fn new(scenario: &Scenario, target: &Target) -> Result<Self, EngineError> {
        let target = Rc::new(target.clone());
        let (mut names, mut journeys) = (Vec::new(), Vec::new());
        for journey in &scenario.journeys {
            let mut steps = Vec::new();
            // The variables that have a value before this step. Each step adds those that it extracts.
            let mut known: BTreeSet<&str> = BTreeSet::new();
            for step in &journey.steps {
                let headers = headers_at(journey, &known, &scenario.inputs);
                let planned = planned(
                    step,
                    journey,
                    &headers,
                    &scenario.inputs.shared,
                    &target,
                    &mut names,
                );
                if let (Action::Request(request), None) = (&step.action, step.weight) {
                    known.extend(request.extract.keys().map(String::as_str));
                }
                steps.push(planned.map_err(|cause| EngineError::Step {
                    step: step.name.clone(),
                    cause,
                })?);
            }
            journeys.push(PlannedJourney {
                weight: u64::from(journey.weight),
                steps,
                cookies: journey.cookies,
                draws: Draws::of(journey, &scenario.inputs),
            });
        }
        Ok(Self {
            weights: journeys.iter().map(|journey| journey.weight).sum(),
            journeys,
            names,
            target,
            seed: scenario.inputs.seed,
            shared: scenario.inputs.shared.values.clone(),
        })
    }

    /// Names of all steps, by their number.
    pub(super) fn step_names(&self) -> &[String] {
        &self.names
    }

    /// The journey of a user. Each run of consecutive users gets the journeys in the proportion of their
    /// weights, as exactly as possible, because multiples of the golden ratio spread evenly. With weights 3
    /// and 1, of any 100 consecutive users the first journey gets 73 to 76. The choice is the same in every
    /// run.
    pub(super) fn journey_of(&self, user: u64) -> Option<&PlannedJourney> {
        /// 2^64 divided by the golden ratio: `user * GOLDEN` is a fraction of 2^64 that is spread evenly over
        /// the users.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        if let [only] = self.journeys.as_slice() {
            return Some(only);
        }
        // Scales the fraction to `0..weights`; the journey is the one in whose stretch of weights the number
        // lies.
        let spread = u128::from(user.wrapping_mul(GOLDEN)) * u128::from(self.weights);
        let mut at = u64::try_from(spread >> 64).unwrap_or(0);
        self.journeys.iter().find(|journey| {
            let here = at < journey.weight;
            at = at.saturating_sub(journey.weight);
            here
        })
    }

    /// The values that a user has before its first step.
    pub(super) fn values_of(&self, user: u64) -> BTreeMap<String, String> {
        let mut values = self.shared.clone();
        values.insert("user".to_owned(), user.to_string());
        values
    }

    /// The random numbers of a user.
    pub(super) fn random(&self, user: u64) -> fastrand::Rng {
        inputs::random(self.seed, user)
    }

    /// The request with the values of its variables.
    pub(super) fn outgoing<'a>(
        &'a self,
        request: &'a PlannedRequest,
        values: &BTreeMap<String, String>,
    ) -> Result<Cow<'a, Outgoing>, Failure> {
        match &request.constant {
            Some(constant) => Ok(Cow::Borrowed(constant)),
            None => request.render(&self.target, values).map(Cow::Owned),
        }
    }

    /// The target's headers and those of a WebSocket step, with the values of their variables.
    pub(super) fn headers(
        &self,
        own: &[(HeaderName, Template)],
        values: &BTreeMap<String, String>,
    ) -> Result<HeaderMap, Failure> {
        rendered_headers(&self.target, own, values)
    }
}

fn planned(
    step: &Step,
    journey: &Journey,
    common: &[(String, Template)],
    shared: &Shared,
    target: &Target,
    names: &mut Vec<String>,
) -> Result<PlannedStep, String> {
    // Steps with equal names have one number, and count together.
    let id = names
        .iter()
        .position(|name| *name == step.name)
        .unwrap_or_else(|| {
            names.push(step.name.clone());
            names.len() - 1
        });
    let action = match &step.action {
        Action::Request(request) => {
            PlannedAction::Request(Box::new(PlannedRequest::new(request, common, shared, target)?))
        }
        Action::WebSocket(websocket) => {
            let mut headers = header_names(common, shared)?;
            headers.extend(header_names(&websocket.headers, shared)?);
            PlannedAction::WebSocket(Box::new(Socket {
                websocket: websocket.clone(),
                headers,
            }))
        }
    };
    Ok(PlannedStep {
        id: StepId(id),
        once: step.once,
        weight: step.weight,
        think: step.think.unwrap_or(journey.think),
        action,
    })
}

/// The journey's headers whose variables have a value at this step. A token is not sent with the login that
/// gives it.
fn headers_at(journey: &Journey, known: &BTreeSet<&str>, inputs: &Inputs) -> Vec<(String, Template)> {
    let known = |name: &str| known.contains(name) || inputs.has(name);
    let has_value = |(_, value): &&(String, Template)| value.variables().all(known);
    journey.headers.iter().filter(has_value).cloned().collect()
}

fn header_names(
    headers: &[(String, Template)],
    shared: &Shared,
) -> Result<Vec<(HeaderName, Template)>, String> {
    headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name
                .parse()
                .map_err(|_| format!("{name:?} cannot be the name of a header"))?;
            Ok((name, value.clone().with_secrets(&shared.names)))
        })
        .collect()
}

impl PlannedRequest {
    fn new(
        request: &Request,
        common: &[(String, Template)],
        shared: &Shared,
        target: &Target,
    ) -> Result<Self, String> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("{:?} is not a method of HTTP", request.method))?;
        let mut headers = header_names(common, shared)?;
        headers.extend(header_names(&request.headers, shared)?);
        let mut planned = Self {
            constant: None,
            method,
            path: request.path.clone().with_secrets(&shared.names),
            headers,
            body: request
                .body
                .as_ref()
                .map(|body| body.iter().map(Piece::of).collect()),
            expect: request.expect.clone(),
            extract: request
                .extract
                .iter()
                .map(|(name, from)| (name.clone(), from.clone()))
                .collect(),
            checks: request.checks.clone(),
            follow: request.follow.unwrap_or(target.follow),
        };
        // Without variables the request is the same for everybody: build it once, and find errors before the
        // run.
        if planned.is_constant() {
            let constant = planned.render(target, &BTreeMap::new());
            planned.constant = Some(constant.map_err(|failure| match failure.detail() {
                Some(detail) => format!("{failure}: {detail}"),
                None => failure.to_string(),
            })?);
        }
        Ok(planned)
    }

    /// Whether no variable occurs in the request.
    fn is_constant(&self) -> bool {
        let headers = self.headers.iter().map(|(_, value)| value);
        let mut templates = [&self.path].into_iter().chain(headers);
        let mut pieces = self.body.iter().flatten();
        templates.all(|template| template.constant().is_some()) && pieces.all(Piece::is_constant)
    }

    /// Whether the scenario looks at the body of the answer.
    pub(super) fn reads_body(&self) -> bool {
        self.checks.iter().any(Check::is_of_body) || self.extract.iter().any(|(_, from)| from.is_in_body())
    }

    fn render(&self, target: &Target, values: &BTreeMap<String, String>) -> Result<Outgoing, Failure> {
        let path = target.path(&self.path.render(values)?);
        let mut headers = rendered_headers(target, &self.headers, values)?;
        let url = match (target.protocol, headers.remove(HOST)) {
            (Protocol::Http1, host) => {
                headers.extend(host.map(|host| (HOST, host)));
                path.clone()
            }
            (Protocol::Http2, None) => format!("{}{path}", target.origin),
            // Over HTTP/2 the host is the `:authority` of the URL, and there is no Host header (RFC 9113,
            // section 8.3.1).
            (Protocol::Http2, Some(host)) => {
                let scheme = if target.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}{path}", host.to_str().unwrap_or_default())
            }
        };
        let uri: Uri = url.parse().map_err(|_| {
            let words = "its path cannot be in a URL, or Host not be its host";
            // The path may have a value of the environment in it, which is shown nowhere.
            let detail = if self.path.is_secret() {
                Detail::NONE
            } else {
                Detail::of(&path)
            };
            Failure::Request(words.to_owned(), detail)
        })?;
        let body = match &self.body {
            Some(body) => {
                headers
                    .entry(CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static("application/json"));
                match body.as_slice() {
                    [piece] => piece.render(values)?,
                    pieces => {
                        let mut all = Vec::new();
                        for piece in pieces {
                            all.extend_from_slice(&piece.render(values)?);
                        }
                        all.into()
                    }
                }
            }
            None => Bytes::new(),
        };
        content_length::correct(&mut headers, &self.method, &body)?;
        Ok(Outgoing {
            method: self.method.clone(),
            uri,
            headers: Rc::new(headers),
            body,
        })
    }
}

fn rendered_headers(
    target: &Target,
    own: &[(HeaderName, Template)],
    values: &BTreeMap<String, String>,
) -> Result<HeaderMap, Failure> {
    let mut headers = target.headers.clone();
    for (name, template) in own {
        let mut value = HeaderValue::try_from(template.render(values)?).map_err(|_| {
            Failure::Request(format!("the value of header {name} cannot be sent"), Detail::NONE)
        })?;
        value.set_sensitive(template.is_secret());
        headers.insert(name.clone(), value);
    }
    headers
        .entry(USER_AGENT)
        .or_insert(HeaderValue::from_static(AGENT));
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    if target.protocol == Protocol::Http1 && !headers.contains_key(HOST) {
        let authority = HeaderValue::try_from(target.authority.as_str())
            .map_err(|_| Failure::Request("the target's name cannot be sent".to_owned(), Detail::NONE))?;
        headers.insert(HOST, authority);
    }
    Ok(headers)
}

/// A random pause between the two bounds.
pub(super) fn pause(think: Think, random: &mut fastrand::Rng) -> Duration {
    let spread = think.max.saturating_sub(think.min);
    think.min + spread.mul_f64(random.f64())
}

#[cfg(test)]
mod tests;
