//! Checks for flapping: desired replicas should go up, then down, and not up again.

use crate::model::{
    check::{Area, Check},
    scaling::{Moment, Scaling},
};

/// The check. One turn, from up to down, is what the load asks for.
pub(super) fn check(scaling: &Scaling) -> Check {
    let turns = turns(scaling);
    let more: Vec<String> = turns.iter().skip(1).map(|at| format!("{at:.0}s")).collect();
    Check {
        name: "no flapping".to_owned(),
        area: Area::Stability,
        measured: if more.is_empty() {
            "up and down once".to_owned()
        } else {
            format!("turned {} times more, at {}", more.len(), more.join(", "))
        },
        passed: more.is_empty(),
        hint: None,
    }
    .or("a longer scaleDown.stabilizationWindowSeconds, or a longer window for the metric's rate")
}

/// The moments at which desired replicas began to move the other way. To move down first is a turn too many.
fn turns(scaling: &Scaling) -> Vec<Moment> {
    let mut turns = Vec::new();
    let (mut before, mut up) = (None, true);
    for seen in &scaling.replicas {
        if let Some(before) = before.filter(|before| *before != seen.desired) {
            let now = seen.desired > before;
            if now != up {
                turns.push(seen.at);
                up = now;
            }
        }
        before = Some(seen.desired);
    }
    turns
}
