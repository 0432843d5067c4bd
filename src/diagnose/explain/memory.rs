//! Infers from an HPA's status what the HPA controller has in memory.
//!
//! The controller keeps its past recommendations and rescales only in memory. A condition of the HPA says
//! whether a past recommendation holds the replicas now. If no condition says so, the likely case is assumed
//! and marked as likely.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use vas_core::hpa::{Controller, Hold, Hpa, Memory};

/// The reason of one condition of the HPA.
pub(super) fn reason<'a>(hpa: &'a HorizontalPodAutoscaler, type_: &str) -> Option<&'a str> {
    let conditions = hpa.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|condition| condition.type_ == type_)?;
    found.reason.as_deref()
}

/// The likely memory of the controller. For an HPA that the controller has not seen yet, the memory starts
/// with the current replicas as the only recommendation.
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
    // If policies limited the last change, the recommendations lie beyond the current replicas, so none holds
    // them.
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
