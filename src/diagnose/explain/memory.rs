//! What an HPA's status tells of the controller's memory.
//!
//! The controller keeps its recommendations and its own rescales in memory alone. It says in a condition when a
//! recommendation holds the count; where it does not, the likely case is taken and marked as such.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use crate::core::hpa::{Controller, Hold, Hpa, Memory};

/// The reason of one of the HPA's conditions.
pub(super) fn reason<'a>(hpa: &'a HorizontalPodAutoscaler, type_: &str) -> Option<&'a str> {
    let conditions = hpa.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|condition| condition.type_ == type_)?;
    found.reason.as_deref()
}

/// What is known. An HPA that the controller has not seen yet starts with the present count as its one
/// recommendation.
pub(super) fn memory(
    object: &HorizontalPodAutoscaler,
    hpa: &Hpa,
    controller: &Controller,
    now: Timestamp,
) -> Memory {
    let behavior = hpa.behavior.as_ref();
    let down = behavior.map_or(controller.downscale_stabilization, |behavior| {
        behavior.down.window
    });
    let up = behavior.map_or(0, |behavior| behavior.up.window);
    let within = |window: i32, hold| if window > 0 { hold } else { Hold::No };
    let Some(able) = reason(object, "AbleToScale") else {
        return Memory {
            down: within(down, Hold::Certain),
            up: within(up, Hold::Certain),
            rescaled_lately: false,
        };
    };
    // A count that policies limited goes on moving: what was recommended lies beyond it.
    let limited = reason(object, "ScalingLimited");
    let stated = |stabilized, limit| {
        if able == stabilized {
            Hold::Certain
        } else if limited == Some(limit) {
            Hold::No
        } else {
            Hold::Likely
        }
    };
    let longest = behavior.map_or(0, |behavior| {
        behavior.up.longest_period().max(behavior.down.longest_period())
    });
    let rescaled = object
        .status
        .as_ref()
        .and_then(|status| status.last_scale_time.as_ref());
    Memory {
        down: within(down, stated("ScaleDownStabilized", "ScaleDownLimit")),
        up: within(up, stated("ScaleUpStabilized", "ScaleUpLimit")),
        rescaled_lately: rescaled.is_some_and(|at| now.as_second() - at.0.as_second() < i64::from(longest)),
    }
}
