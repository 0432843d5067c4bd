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
    http::{Failure, Outgoing, Target},
    scenario::{
        inputs::{Inputs, Shared},
        model::{Action, Journey, Scenario, Step, Think},
        template::Template,
        websocket::WebSocket,
    },
};

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

/// A random pause between the two bounds.
pub(super) fn pause(think: Think, random: &mut fastrand::Rng) -> Duration {
    let spread = think.max.saturating_sub(think.min);
    think.min + spread.mul_f64(random.f64())
}

#[cfg(test)]
mod tests;
