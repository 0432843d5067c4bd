//! The scenario, made ready to send: its journeys, and which of them a user has.
//!
//! ```text
//! request  one request, built once where it has no variables     headers  those of requests and connections
//! ```

mod headers;
mod request;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    rc::Rc,
    time::Duration,
};

use hyper::{HeaderMap, header::HeaderName};

use self::headers::{header_names, rendered_headers};
pub(super) use self::request::PlannedRequest;
use super::{
    detail::StepId,
    error::EngineError,
    inputs::{self, Draws},
};
use crate::{
    http::{Failure, Outgoing, Target, TargetError},
    scenario::{
        inputs::{Inputs, Shared},
        model::{Action, Journey, Known, Lane, Model, Scenario, Step, Think},
        template::Template,
        websocket::WebSocket,
    },
};

/// A scenario, ready to send to a target.
#[derive(Debug)]
pub(super) struct Plan {
    journeys: Vec<PlannedJourney>,
    lanes: Vec<PlannedLane>,
    names: Vec<String>,
    /// Where requests go: the target, then the other hosts of the scenario.
    pub(super) targets: Vec<Rc<Target>>,
    seed: Option<u64>,
    /// What every user has from the setup.
    shared: BTreeMap<String, String>,
}

/// One of the loads that run side by side, ready to send.
#[derive(Debug)]
struct PlannedLane {
    model: Model,
    /// The journeys of its users, as indices into those of the plan.
    journeys: Vec<usize>,
    /// The sum of their weights.
    weights: u64,
}

/// A user: the load that it belongs to, and its number in that load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserId {
    /// The number of the load.
    pub(super) lane: usize,
    /// The number of the user in the load, from zero on.
    pub(super) number: u64,
}

/// A journey, ready to send.
#[derive(Debug)]
pub(super) struct PlannedJourney {
    weight: u64,
    /// Steps in the order in which a user does them.
    pub(super) steps: Vec<PlannedStep>,
    /// The most requests that a user sends at once.
    pub(super) width: usize,
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
    /// The batch to which it belongs, see [`Step::batch`].
    batch: Option<usize>,
    /// Where it goes, as an index into [`Plan::targets`].
    pub(super) host: usize,
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
    headers: Vec<(HeaderName, Template)>,
}

impl PlannedJourney {
    /// The steps that a turn does at a place: the step there or, where that has a weight, one of those beside
    /// it; all steps of a batch, which are done at once. The number is the place at which the turn goes on.
    pub(super) fn at(&self, place: usize, random: &mut fastrand::Rng) -> (Range<usize>, usize) {
        let rest = self.steps.get(place..).unwrap_or_default();
        if let Some(batch) = rest.first().and_then(|step| step.batch) {
            let count = rest.iter().take_while(|step| step.batch == Some(batch)).count();
            return (place..place + count, place + count);
        }
        let weights = rest.iter().map_while(|step| step.weight.map(u64::from));
        let count = weights.clone().count();
        if count == 0 {
            return (place..place + 1, place + 1);
        }
        let all: u64 = weights.clone().sum();
        let mut drawn = if all > 0 { random.u64(..all) } else { 0 };
        let chosen = weights.clone().position(|weight| {
            let here = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            here
        });
        let chosen = place + chosen.unwrap_or(0);
        (chosen..chosen + 1, place + count)
    }
}

impl Plan {
    /// Makes a scenario ready to send.
    ///
    /// # Errors
    /// When a step has a method, path or header that HTTP does not allow.
    pub(super) fn new(scenario: &Scenario, target: &Target) -> Result<Self, EngineError> {
        let targets = targets(scenario, target)?;
        let (mut names, mut journeys) = (Vec::new(), Vec::new());
        for journey in &scenario.journeys {
            let mut steps = Vec::new();
            let mut known = Known::default();
            for step in &journey.steps {
                let known = known.before(step);
                let name = step.host.as_ref();
                let host = name.and_then(|name| scenario.hosts.keys().position(|host| host == name));
                let host = host.map_or(0, |host| host + 1);
                // The headers of a journey may hold what is for its target alone, such as a token.
                let headers = match host {
                    0 => headers_at(journey, known, &scenario.inputs),
                    _ => Vec::new(),
                };
                let target = targets.get(host).map_or(target, Rc::as_ref);
                let planned = planned(
                    step,
                    journey,
                    &headers,
                    &scenario.inputs.shared,
                    (host, target),
                    &mut names,
                );
                steps.push(planned.map_err(|cause| EngineError::Step {
                    step: step.name.clone(),
                    cause,
                })?);
            }
            journeys.push(PlannedJourney {
                weight: u64::from(journey.weight),
                width: journey.width(),
                steps,
                cookies: journey.cookies,
                draws: Draws::of(journey, &scenario.inputs),
            });
        }
        let lane = |lane: Lane| PlannedLane {
            model: lane.model,
            weights: {
                let weights = lane.journeys.iter().filter_map(|index| journeys.get(*index));
                weights.map(|journey: &PlannedJourney| journey.weight).sum()
            },
            journeys: lane.journeys,
        };
        Ok(Self {
            lanes: scenario.lanes().into_iter().map(lane).collect(),
            journeys,
            names,
            targets,
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
    pub(super) fn journey_of(&self, user: UserId) -> Option<&PlannedJourney> {
        /// 2^64 divided by the golden ratio: `user * GOLDEN` is a fraction of 2^64 that is spread evenly over
        /// the users.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let lane = self.lanes.get(user.lane)?;
        if let [only] = lane.journeys.as_slice() {
            return self.journeys.get(*only);
        }
        // Scales the fraction to `0..weights`; the journey is the one in whose stretch of weights the number
        // lies.
        let spread = u128::from(user.number.wrapping_mul(GOLDEN)) * u128::from(lane.weights);
        let mut at = u64::try_from(spread >> 64).unwrap_or(0);
        let mut journeys = lane.journeys.iter().filter_map(|index| self.journeys.get(*index));
        journeys.find(|journey| {
            let here = at < journey.weight;
            at = at.saturating_sub(journey.weight);
            here
        })
    }

    /// Whether the journeys of a user begin at planned moments (open model), instead of again and again (closed
    /// model).
    pub(super) fn is_open(&self, user: UserId) -> bool {
        let lane = self.lanes.get(user.lane);
        lane.is_some_and(|lane| lane.model == Model::Open)
    }

    /// The number of a user among those of all loads. Example: with two loads, the users 0, 1, 2 of the first
    /// have the numbers 0, 2, 4, and those of the second 1, 3, 5.
    pub(super) fn number_of(&self, user: UserId) -> u64 {
        let count = |count: usize| u64::try_from(count).unwrap_or(0);
        let (lane, lanes) = (count(user.lane), count(self.lanes.len()));
        user.number.wrapping_mul(lanes).wrapping_add(lane)
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
}

impl PlannedRequest {
    /// The request to a target with the values of its variables.
    pub(super) fn outgoing<'a>(
        &'a self,
        target: &Target,
        values: &BTreeMap<String, String>,
    ) -> Result<Cow<'a, Outgoing>, Failure> {
        match &self.constant {
            Some(constant) => Ok(Cow::Borrowed(constant)),
            None => self.render(target, values).map(Cow::Owned),
        }
    }
}

impl Socket {
    /// The target's headers and those of the step, with the values of their variables.
    pub(super) fn headers(
        &self,
        target: &Target,
        values: &BTreeMap<String, String>,
    ) -> Result<HeaderMap, Failure> {
        rendered_headers(target, &self.headers, values)
    }
}

/// Where the requests of a scenario go: the target, then its other hosts.
fn targets(scenario: &Scenario, target: &Target) -> Result<Vec<Rc<Target>>, EngineError> {
    let mut targets = vec![Rc::new(target.clone())];
    for (name, url) in &scenario.hosts {
        let other = target.another(url.as_str(), target.protocol);
        targets.push(Rc::new(other.map_err(|error| EngineError::Host {
            name: name.clone(),
            cause: match error {
                TargetError::Url(error) => error.to_string(),
                other => other.to_string(),
            },
        })?));
    }
    Ok(targets)
}

fn planned(
    step: &Step,
    journey: &Journey,
    common: &[(String, Template)],
    shared: &Shared,
    (host, target): (usize, &Target),
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
        batch: step.batch,
        host,
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

/// A random pause between the two bounds.
pub(super) fn pause(think: Think, random: &mut fastrand::Rng) -> Duration {
    let spread = think.max.saturating_sub(think.min);
    think.min + spread.mul_f64(random.f64())
}

#[cfg(test)]
mod tests;
