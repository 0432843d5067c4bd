//! Infers from an HPA's status what the HPA controller has in memory, and foretells its next sync.
//!
//! The controller keeps its past recommendations and rescales only in memory. The status says what came of them
//! at the *last* sync; until the next one any of them may become too old to count. So several memories are
//! possible. Only what the next sync decides with each of them is certain.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use vas_core::hpa::{Cause, Decision, Hpa, Recommendation, ScaleEvent, State, Sync, step};

/// The last sync was at most so long ago: four times the usual period.
const LAST_SYNC: SignedDuration = SignedDuration::from_secs(60);

/// More replicas than any rescale.
const BEYOND_ALL: i32 = 1_000_000;

/// The reason of one condition of the HPA.
pub(super) fn reason<'a>(hpa: &'a HorizontalPodAutoscaler, type_: &str) -> Option<&'a str> {
    let conditions = hpa.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|condition| condition.type_ == type_)?;
    found.reason.as_deref()
}

/// The decision with the likely memory, and whether every possible memory leads to the same replicas.
pub(super) fn foretell(memories: &[State], sync: &Sync<'_>) -> (Decision, bool) {
    let mut likely = memories.first().cloned().unwrap_or_default();
    let decision = step(&mut likely, sync);
    let same = memories.iter().skip(1).all(|memory| {
        let other = step(&mut memory.clone(), sync);
        other.desired == decision.desired
    });
    (decision, same && decision.cause != Cause::AmbiguousSelector)
}

/// The possible memories of the controller, the likely one first. They need not be all: the extremes are
/// enough, because the decision grows with every recommendation, and with the replicas at the start of a period.
pub(super) fn memories(
    object: &HorizontalPodAutoscaler,
    hpa: &Hpa,
    current: i32,
    now: Timestamp,
) -> Vec<State> {
    let scaled_to_zero = condition(object, "ScaledToZero");
    let known = State {
        scaled_to_zero,
        ..State::default()
    };
    if reason(object, "AbleToScale").is_none() {
        // The controller has not seen the HPA, so it begins with the next sync.
        return vec![known];
    }
    let recommendations = recommendations(object, hpa, current, now);
    let rescales = rescales(object, hpa, now);
    let memory = |recommendations: &Vec<Recommendation>, (up, down): &Rescales| State {
        recommendations: recommendations.clone(),
        up_events: up.clone(),
        down_events: down.clone(),
        ..known.clone()
    };
    let all = recommendations.iter().flat_map(|recommendations| {
        rescales
            .iter()
            .map(move |rescales| memory(recommendations, rescales))
    });
    all.collect()
}

fn condition(object: &HorizontalPodAutoscaler, type_: &str) -> Option<bool> {
    let conditions = object.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|one| one.type_ == type_)?;
    Some(found.status == "True")
}

/// The possible recommendations, the likely ones first.
fn recommendations(
    object: &HorizontalPodAutoscaler,
    hpa: &Hpa,
    current: i32,
    now: Timestamp,
) -> Vec<Vec<Recommendation>> {
    let at = |replicas, at| vec![Recommendation { replicas, at }];
    // One that no window contains, because a memory without any is that of a controller which begins.
    let none = at(current, Timestamp::MIN);
    let desired = object.status.as_ref().map(|status| status.desired_replicas);
    let able = reason(object, "AbleToScale");
    let limited = reason(object, "ScalingLimited");
    // What the last sync decided was then a recommendation: its own, or one of the window.
    let unlimited = limited == Some("DesiredWithinRange");
    if able == Some("ReadyForNewScale") && unlimited && desired == Some(current) {
        // It was its own, and is in every window that is longer than the time since then.
        let oldest = now.checked_sub(LAST_SYNC).unwrap_or(now);
        return vec![at(current, now), at(current, oldest)];
    }
    let hold = at(current, now);
    if hpa.behavior.is_none() {
        // The highest recommendation of the window counts, and it may be above the current replicas.
        let stabilized = able == Some("ScaleDownStabilized") && unlimited;
        let highest = desired.filter(|_| stabilized).unwrap_or(i32::MAX);
        return vec![hold, none, at(highest, now)];
    }
    // If a policy limited the last change, the recommendations lie beyond the current replicas, and none holds
    // that direction.
    let likely = match limited {
        Some("ScaleDownLimit") => at(i32::MIN, now),
        Some("ScaleUpLimit") => at(i32::MAX, now),
        _ => hold.clone(),
    };
    vec![likely, none, hold]
}

/// Rescales up and down.
type Rescales = (Vec<ScaleEvent>, Vec<ScaleEvent>);

/// The possible rescales within the periods of the policies, none first.
fn rescales(object: &HorizontalPodAutoscaler, hpa: &Hpa, now: Timestamp) -> Vec<Rescales> {
    let none = (Vec::new(), Vec::new());
    let longest = hpa.behavior.as_ref().map_or(0, |behavior| {
        behavior.up.longest_period().max(behavior.down.longest_period())
    });
    let status = object.status.as_ref();
    let last = status.and_then(|status| status.last_scale_time.as_ref());
    // The time in the status is cut to whole seconds.
    let recent = last.is_some_and(|last| now.as_second() - last.0.as_second() <= i64::from(longest));
    if !recent {
        return vec![none];
    }
    let far = vec![ScaleEvent {
        change: BEYOND_ALL,
        at: now,
        outdated: false,
    }];
    vec![none, (far.clone(), Vec::new()), (Vec::new(), far)]
}

#[cfg(test)]
mod tests;
