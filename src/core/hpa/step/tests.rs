//! Whole syncs: bounds before metrics, metrics before memory, memory before policies.

use super::*;
use crate::hpa::{
    Gates,
    testing::{NOW, at, read},
};

/// An HPA of 2 to 20 replicas on so many External metrics, whose value is what they propose.
fn hpa(metrics: usize, rest: &str) -> Hpa {
    let metric =
        "{type: External, external: {metric: {name: m}, target: {type: AverageValue, averageValue: 1}}}";
    let metrics = vec![metric; metrics].join(", ");
    let bounds = if rest.contains("maxReplicas") {
        ""
    } else {
        "minReplicas: 2\nmaxReplicas: 20\n"
    };
    read(&format!("{bounds}metrics: [{metrics}]\n{rest}"))
}

/// A sync of an HPA with these proposals, where `None` is a metric without a value.
struct Case<'a> {
    hpa: &'a Hpa,
    controller: Controller,
    selector: Selector,
}

impl<'a> Case<'a> {
    fn of(hpa: &'a Hpa) -> Self {
        Self {
            hpa,
            controller: Controller::default(),
            selector: Selector::Valid,
        }
    }

    fn run(&self, state: &mut State, second: i64, current: i32, proposals: &[Option<i64>]) -> Decision {
        let answers: Vec<_> = proposals
            .iter()
            .map(|proposal| proposal.map(|replicas| Reading::Total(replicas * 1000)))
            .collect();
        step(
            state,
            &Sync {
                hpa: self.hpa,
                controller: &self.controller,
                scale: Scale {
                    replicas: current,
                    status: 0,
                    selector: self.selector,
                },
                cohorts: &[],
                answers: &answers,
                now: at(NOW + second),
            },
        )
    }
}

/// A sync of a controller that has long known the HPA and holds nothing against the proposal.
fn next(hpa: &Hpa, current: i32, proposals: &[Option<i64>]) -> (i32, Cause) {
    let mut state = long_known(current);
    let decision = Case::of(hpa).run(&mut state, 0, current, proposals);
    (decision.desired, decision.cause)
}

fn long_known(current: i32) -> State {
    let mut state = State::default();
    state.begin(current, at(NOW - 5000));
    state
}

#[test]
fn with_behavior_the_default_is_four_more_or_double_and_without_it_double_or_four() {
    let low = |hpa: Hpa| Hpa { min: 1, ..hpa };
    let (with, without) = (low(hpa(1, "behavior: {scaleDown: {}}")), low(hpa(1, "")));
    for (current, limited, unlimited) in [(1, 5, 4), (3, 7, 6), (5, 10, 10)] {
        let wanted = [Some(19)];
        assert_eq!(next(&with, current, &wanted), (limited, Cause::ScaleUpLimit));
        assert_eq!(next(&without, current, &wanted), (unlimited, Cause::ScaleUpLimit));
    }
}

#[test]
fn the_nearer_of_bound_and_policy_is_named() {
    let hpa = hpa(
        1,
        "behavior: {scaleDown: {policies: [{type: Pods, value: 3, periodSeconds: 15}]}}",
    );
    assert_eq!(next(&hpa, 15, &[Some(40)]), (20, Cause::TooManyReplicas));
    assert_eq!(next(&hpa, 15, &[Some(1)]), (12, Cause::ScaleDownLimit));
    assert_eq!(next(&hpa, 4, &[Some(1)]), (2, Cause::TooFewReplicas));
    assert_eq!(next(&hpa, 4, &[Some(6)]), (6, Cause::DesiredWithinRange));
}

#[test]
fn a_count_out_of_range_jumps_to_the_bound_even_when_disabled_and_without_metrics() {
    let off = hpa(
        1,
        "behavior: {scaleUp: {selectPolicy: Disabled}, scaleDown: {selectPolicy: Disabled}}",
    );
    assert_eq!(next(&off, 50, &[None]), (20, Cause::OutOfRange));
    assert_eq!(next(&off, 1, &[None]), (2, Cause::OutOfRange));
    assert_eq!(next(&off, 5, &[Some(9)]), (5, Cause::DirectionDisabled));
    assert_eq!(next(&off, 5, &[Some(3)]), (5, Cause::DirectionDisabled));
}

#[test]
fn missing_metrics_block_scaling_down_and_record_nothing() {
    let hpa = hpa(2, "behavior: {}");
    assert_eq!(next(&hpa, 5, &[None, Some(3)]), (5, Cause::MissingMetrics));
    assert_eq!(next(&hpa, 5, &[None, Some(7)]), (7, Cause::DesiredWithinRange));
    let mut state = long_known(5);
    let decision = Case::of(&hpa).run(&mut state, 0, 5, &[None, None]);
    assert_eq!((decision.desired, decision.cause), (5, Cause::NoMetrics));
    let failed = Condition::no(Reason::FailedGetExternalMetric);
    assert_eq!(decision.conditions.scaling_active, Some(failed));
    assert_eq!(
        decision.conditions.able_to_scale.reason,
        Reason::SucceededGetScale
    );
    assert_eq!(state, long_known(5));
}

#[test]
fn a_selector_that_is_none_or_of_two_hpas_stops_all_but_the_bounds() {
    let hpa = hpa(1, "behavior: {}");
    for (selector, reason) in [
        (Selector::Invalid, Reason::InvalidSelector),
        (Selector::Ambiguous, Reason::AmbiguousSelector),
    ] {
        let case = Case {
            selector,
            ..Case::of(&hpa)
        };
        let decision = case.run(&mut long_known(5), 0, 5, &[Some(9)]);
        assert_eq!(decision.desired, 5);
        assert_eq!(decision.conditions.scaling_active, Some(Condition::no(reason)));
        assert_eq!(case.run(&mut long_known(50), 0, 50, &[Some(9)]).desired, 20);
    }
}

#[test]
fn a_controller_that_begins_holds_the_current_replicas_for_a_window() {
    let hpa = hpa(1, "behavior: {scaleUp: {stabilizationWindowSeconds: 60}}");
    let case = Case::of(&hpa);
    let mut state = State::default();
    let first = case.run(&mut state, 0, 9, &[Some(3)]);
    assert_eq!(
        (first.desired, first.cause, first.eventually),
        (9, Cause::Stabilized, 3)
    );
    assert_eq!(first.conditions.able_to_scale.reason, Reason::ScaleDownStabilized);
    assert_eq!(
        case.run(&mut state, 15, 9, &[Some(12)]).desired,
        9,
        "3 was wanted 15 s ago"
    );
    assert_eq!(case.run(&mut state, 299, 9, &[Some(3)]).desired, 9);
    assert_eq!(
        case.run(&mut state, 300, 9, &[Some(3)]).desired,
        9,
        "12 is 285 s old"
    );
    assert_eq!(case.run(&mut state, 315, 9, &[Some(3)]).desired, 3);
}

#[test]
fn own_rescales_move_the_start_of_a_period_and_those_of_others_do_not() {
    let hpa = hpa(
        1,
        "behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 60}]}}",
    );
    let case = Case::of(&hpa);
    let mut state = long_known(4);
    assert_eq!(case.run(&mut state, 0, 4, &[Some(19)]).desired, 6);
    let limited = case.run(&mut state, 15, 6, &[Some(19)]);
    assert_eq!((limited.desired, limited.cause), (6, Cause::ScaleUpLimit));
    // Somebody else removed two, which the controller does not know: it takes the period to have begun with two.
    assert_eq!(case.run(&mut state, 30, 4, &[Some(19)]).desired, 4);
    assert_eq!(case.run(&mut state, 60, 6, &[Some(19)]).desired, 8);
}

#[test]
fn a_jump_to_a_bound_is_remembered_too() {
    let hpa = hpa(
        1,
        "behavior: {scaleDown: {stabilizationWindowSeconds: 0, policies: [{type: Pods, value: 3, periodSeconds: 60}]}}",
    );
    let case = Case::of(&hpa);
    let mut state = long_known(25);
    assert_eq!(case.run(&mut state, 0, 25, &[Some(19)]).desired, 20);
    // Five went at once, and three may go in a minute.
    assert_eq!(case.run(&mut state, 15, 20, &[Some(5)]).desired, 20);
    assert_eq!(case.run(&mut state, 60, 20, &[Some(5)]).desired, 17);
}

#[test]
fn zero_by_hand_is_a_pause_and_zero_by_the_controller_is_not() {
    let hpa = hpa(
        1,
        "minReplicas: 1\nmaxReplicas: 20\n\
         behavior: {scaleUp: {policies: [{type: Percent, value: 100, periodSeconds: 15}]}}",
    );
    let case = Case::of(&hpa);
    let mut state = long_known(0);
    let paused = case.run(&mut state, 0, 0, &[Some(7)]);
    assert_eq!((paused.desired, paused.cause), (0, Cause::ScalingDisabled));
    state.scaled_to_zero = Some(true);
    // 100 % of nothing is nothing; the bound overrides the policy.
    assert_eq!(case.run(&mut state, 15, 0, &[Some(7)]).desired, 1);
    assert_eq!(state.scaled_to_zero, Some(false));
    // Without the gate the controller forgets that it was itself.
    let controller = Controller {
        gates: Gates {
            scale_to_zero: false,
            ..Gates::default()
        },
        ..Controller::default()
    };
    let without = Case { controller, ..case };
    state.scaled_to_zero = Some(true);
    assert_eq!(without.run(&mut state, 30, 0, &[Some(7)]).desired, 0);
    assert_eq!(state.scaled_to_zero, None);
}

#[test]
fn the_controller_goes_to_zero_and_comes_back() {
    let hpa = hpa(
        1,
        "minReplicas: 0\nmaxReplicas: 20\nbehavior: {scaleDown: {stabilizationWindowSeconds: 0}}",
    );
    let case = Case::of(&hpa);
    let mut state = long_known(2);
    assert_eq!(case.run(&mut state, 0, 2, &[Some(0)]).desired, 0);
    assert_eq!(state.scaled_to_zero, Some(true));
    assert_eq!(case.run(&mut state, 15, 0, &[Some(0)]).desired, 0);
    assert_eq!(state.scaled_to_zero, Some(true));
    // The two that went 20 s ago count no longer; four or double may come.
    assert_eq!(case.run(&mut state, 20, 0, &[Some(3)]).desired, 3);
    assert_eq!(state.scaled_to_zero, Some(false));
}
