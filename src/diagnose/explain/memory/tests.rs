//! What is foretold against what a controller does that remembers.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use vas_core::hpa::{Reading, Scale, Selector};

/// What happens between two syncs.
#[derive(Clone, Debug)]
struct Turn {
    /// Milliseconds since the sync before. Longer gaps than a minute are those of a controller that was away.
    gap: i64,
    /// What the metric proposes; `None` without a value.
    proposal: Option<i32>,
    /// Replicas that somebody else sets before the sync.
    by_hand: Option<i32>,
    /// A new leader remembers nothing.
    new_leader: bool,
}

fn turn() -> impl Strategy<Value = Turn> {
    (
        14_000_i64..20_000,
        prop::option::weighted(0.9, prop_oneof![Just(6), 0_i32..25]),
        prop::option::weighted(0.03, 1_i32..22),
        prop::bool::weighted(0.02),
    )
        .prop_map(|(gap, proposal, by_hand, new_leader)| Turn {
            gap,
            proposal,
            by_hand,
            new_leader,
        })
}

fn behavior() -> impl Strategy<Value = Value> {
    let window = || prop_oneof![Just(0), Just(45), Just(90), Just(300)];
    let rules = move || {
        (
            window(),
            1..9,
            15..200,
            prop_oneof![Just("Max"), Just("Min"), Just("Disabled")],
        )
            .prop_map(|(window, value, period, select)| {
                json!({"stabilizationWindowSeconds": window, "selectPolicy": select, "policies": [
                    {"type": "Pods", "value": value, "periodSeconds": period},
                    {"type": "Percent", "value": value * 20, "periodSeconds": 30},
                ]})
            })
    };
    let both = (rules(), rules()).prop_map(|(up, down)| json!({"scaleUp": up, "scaleDown": down}));
    prop_oneof![1 => Just(Value::Null), 2 => both]
}

/// An HPA object of 2 to 20 replicas whose one metric is what it proposes.
fn object(behavior: &Value) -> HorizontalPodAutoscaler {
    let target = json!({"type": "AverageValue", "averageValue": "1"});
    let metric = json!({"type": "External", "external": {"metric": {"name": "m"}, "target": target}});
    serde_json::from_value(json!({"metadata": {"name": "h"}, "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "d"},
        "minReplicas": 2, "maxReplicas": 20, "metrics": [metric], "behavior": behavior,
    }}))
    .unwrap()
}

/// The status after a sync, as the API server shows it.
fn write_status(object: &mut HorizontalPodAutoscaler, decision: &Decision, current: i32, now: Timestamp) {
    let mut status = serde_json::to_value(object.status.clone()).unwrap();
    if status.is_null() {
        status = json!({"conditions": [], "desiredReplicas": 0});
    }
    let set = decision.conditions;
    let new = [
        ("AbleToScale", Some(set.able_to_scale)),
        ("ScalingActive", set.scaling_active),
        ("ScalingLimited", set.scaling_limited),
    ];
    let conditions = status["conditions"].as_array_mut().unwrap();
    for (type_, condition) in new {
        let Some(condition) = condition else { continue };
        conditions.retain(|one| one["type"] != type_);
        let word = if condition.is_true { "True" } else { "False" };
        conditions.push(json!({"type": type_, "status": word, "reason": condition.reason}));
    }
    // A sync that fails leaves the number as it was.
    let failed = matches!(decision.cause, Cause::NoMetrics | Cause::MissingMetrics);
    if !failed {
        status["desiredReplicas"] = json!(decision.desired);
    }
    if decision.desired != current {
        status["lastScaleTime"] = json!(Timestamp::from_second(now.as_second()).unwrap().to_string());
    }
    object.status = serde_json::from_value(status).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Wherever the next sync is called certain, it comes out so, whatever the controller remembers, and however
    /// late within the sync period it is asked.
    #[test]
    fn what_is_certain_comes_true(
        behavior in behavior(),
        turns in prop::collection::vec(turn(), 1..60),
        early in 0_i64..1000,
    ) {
        let controller = vas_core::hpa::Controller::default();
        let mut object = object(&behavior);
        let hpa = Hpa::read(&object, &controller);
        let (mut state, mut current) = (State::default(), 5);
        let mut now = Timestamp::from_second(1_000_000).unwrap();
        for turn in turns {
            let before = now;
            now = now.checked_add(SignedDuration::from_millis(turn.gap)).unwrap();
            current = turn.by_hand.unwrap_or(current);
            if turn.new_leader {
                state = State::default();
            }
            let answers = [turn.proposal.map(|replicas| Reading::Total(i64::from(replicas) * 1000))];
            let mut sync = Sync {
                hpa: &hpa,
                controller: &controller,
                scale: Scale { replicas: current, status: 0, selector: Selector::Valid },
                cohorts: &[],
                answers: &answers,
                now,
            };
            let decision = step(&mut state, &sync);
            // Asked some time after the sync before.
            let asked = SignedDuration::from_millis(turn.gap * early / 1000);
            sync.now = before.checked_add(asked).unwrap();
            let (foretold, exact) = foretell(&memories(&object, &hpa, current, sync.now), &sync);
            if exact {
                prop_assert_eq!(foretold.desired, decision.desired, "{:?} of {:?}", decision, object.status);
            }
            write_status(&mut object, &decision, current, now);
            current = decision.desired;
        }
    }
}

#[test]
fn calm_is_certain_and_most_holds_are_not() {
    let controller = vas_core::hpa::Controller::default();
    let mut object = object(&json!({}));
    let hpa = Hpa::read(&object, &controller);
    let mut state = State::default();
    let mut now = Timestamp::from_second(1_000_000).unwrap();
    let mut certain = Vec::new();
    for proposal in [5, 5, 3, 3, 9] {
        now = now.checked_add(SignedDuration::from_secs(15)).unwrap();
        let answers = [Some(Reading::Total(proposal * 1000))];
        let sync = Sync {
            hpa: &hpa,
            controller: &controller,
            scale: Scale {
                replicas: 5,
                status: 0,
                selector: Selector::Valid,
            },
            cohorts: &[],
            answers: &answers,
            now,
        };
        certain.push(foretell(&memories(&object, &hpa, 5, now), &sync).1);
        let decision = step(&mut state, &sync);
        write_status(&mut object, &decision, 5, now);
    }
    assert_eq!(certain, [true, true, true, false, true]);
}
