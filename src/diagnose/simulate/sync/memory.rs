//! The controller's memory with ages instead of times, as it stands in files.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SyncError;
use vas_core::hpa::{self, ScaleEvent, State};

/// What the controller remembers of one HPA. The order is that of its slots, not that of time; it decides which
/// entry the next one replaces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Memory {
    /// What the metrics proposed at earlier syncs. Empty if the controller has not seen the HPA yet.
    pub recommendations: Vec<Recommendation>,
    /// The controller's own rescales towards more replicas, for an HPA with `behavior`.
    pub scale_up_events: Vec<Event>,
    /// The same towards fewer replicas.
    pub scale_down_events: Vec<Event>,
}

/// What the metrics proposed at one sync, before stabilization and limits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Recommendation {
    /// The proposal.
    pub replicas: i32,
    /// Seconds from that sync to this one.
    pub age_seconds: f64,
}

/// One rescale by the controller itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Event {
    /// By how many replicas.
    pub change: i32,
    /// Seconds from that sync to this one.
    pub age_seconds: f64,
    /// Whether a rescale found it older than every policy of its direction, so that its slot may be taken.
    #[serde(default)]
    pub outdated: bool,
}

impl Memory {
    /// The state at a sync at `now`, without the condition `ScaledToZero`.
    pub(super) fn read(&self, now: Timestamp) -> Result<State, SyncError> {
        let at = |field, age_seconds: f64| {
            let age = Duration::try_from_secs_f64(age_seconds).ok();
            let at = age.and_then(|age| now.checked_sub(age).ok());
            at.ok_or(SyncError::Age { field })
        };
        let events = |field, events: &[Event]| {
            let event = |event: &Event| {
                Ok(ScaleEvent {
                    change: event.change,
                    at: at(field, event.age_seconds)?,
                    outdated: event.outdated,
                })
            };
            events.iter().map(event).collect::<Result<_, SyncError>>()
        };
        let recommendations = self.recommendations.iter().map(|one| {
            Ok(hpa::Recommendation {
                replicas: one.replicas,
                at: at("state.recommendations", one.age_seconds)?,
            })
        });
        Ok(State {
            recommendations: recommendations.collect::<Result<_, SyncError>>()?,
            up_events: events("state.scaleUpEvents", &self.scale_up_events)?,
            down_events: events("state.scaleDownEvents", &self.scale_down_events)?,
            scaled_to_zero: None,
        })
    }

    /// What a state is at `now`.
    pub(super) fn of(state: &State, now: Timestamp) -> Self {
        let age_seconds = |at| now.duration_since(at).as_secs_f64();
        let events = |events: &[ScaleEvent]| {
            let event = |event: &ScaleEvent| Event {
                change: event.change,
                age_seconds: age_seconds(event.at),
                outdated: event.outdated,
            };
            events.iter().map(event).collect()
        };
        let recommendation = |one: &hpa::Recommendation| Recommendation {
            replicas: one.replicas,
            age_seconds: age_seconds(one.at),
        };
        Self {
            recommendations: state.recommendations.iter().map(recommendation).collect(),
            scale_up_events: events(&state.up_events),
            scale_down_events: events(&state.down_events),
        }
    }
}
