//! The values that a field may take in a search: a short list in its order, with the one that is written among them.

use serde_json::{Value, json};
use vas_api::v1alpha1::{PolicyType, SelectPolicy};
use vas_core::{
    k8s::quantity,
    spec::model::{ScalingPolicy, ScalingRules},
};

/// Shares of a target that is a rate, a gauge or CPU. The HPA tolerates a tenth, so finer steps tell nothing.
const NEAR: [f64; 20] = [
    0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0,
    2.5,
];
/// Shares of a target that is a queue, whose useful values lie further apart.
const WIDE: [f64; 10] = [0.1, 0.15, 0.2, 0.3, 0.45, 0.67, 1.5, 2.2, 3.3, 5.0];
/// Percentages of what pods request.
const PERCENT: [i32; 15] = [20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90];
const REPLICAS: [i32; 24] = [
    1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 50, 64, 80, 100, 130, 160, 200,
];
const WINDOWS: [i32; 11] = [0, 30, 60, 120, 180, 300, 450, 600, 900, 1800, 3600];

/// Values in their order, and the position of the one that is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    pub(super) all: Vec<Value>,
    pub(super) start: usize,
}

impl Values {
    /// Keeps the values that are wanted, and the one that is written.
    pub(super) fn keep(&mut self, wanted: impl Fn(&Value) -> bool) {
        let written = self.start;
        let all = std::mem::take(&mut self.all);
        for (position, value) in all.into_iter().enumerate() {
            if position == written {
                self.start = self.all.len();
            } else if !wanted(&value) {
                continue;
            }
            self.all.push(value);
        }
    }
}

/// Sorts values by a number; the one that is written stays as it is, and no other has its number.
fn sorted(written: (f64, Value), others: impl Iterator<Item = (f64, Value)>) -> Values {
    let (own, written) = written;
    let mut all: Vec<(f64, Value)> = others
        .filter(|(number, value)| number.total_cmp(&own).is_ne() && *value != written)
        .collect();
    all.push((own, written.clone()));
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    all.dedup_by(|one, other| one.1 == other.1);
    let all: Vec<Value> = all.into_iter().map(|(_, value)| value).collect();
    let start = all.iter().position(|value| *value == written).unwrap_or_default();
    Values { all, start }
}

fn whole(written: i32, others: impl Iterator<Item = i32>) -> Values {
    let number = |one: i32| (f64::from(one), json!(one));
    sorted(number(written), others.map(number))
}

/// Values of a target; `None` if what is written is no quantity above zero. `wide` is for queues.
pub(super) fn of_target(written: &Value, wide: bool) -> Option<Values> {
    let text = match written {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let own = quantity::parse_str(&text).ok()?.as_f64();
    (own > 0.0).then_some(())?;
    let shares: &[f64] = if wide { &WIDE } else { &NEAR };
    let others = shares.iter().filter_map(|share| {
        let text = short(own * share);
        let value = text.parse().ok().filter(|value| *value > 0.0)?;
        Some((value, Value::from(text)))
    });
    Some(sorted((own, written.clone()), others))
}

/// A number with as many digits as tell 5 % apart: 66.5 is 67, 133 is 133, 262.5 is 260, 0.475 is 0.48.
fn short(value: f64) -> String {
    let exponent = value.log10().floor();
    // Of numbers that begin with 1, three digits: 5 % of 120 are 6.
    let digits = if value / 10_f64.powf(exponent) < 2.0 {
        2.0
    } else {
        1.0
    };
    let last = exponent - digits;
    let step = 10_f64.powf(last);
    let rounded = (value / step).round() * step;
    // Decimal places without the noise of the multiplication.
    let places = if last < 0.0 { -last } else { 0.0 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 300, and not negative"
    )]
    let text = format!("{rounded:.*}", places as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Values of a target in percent of what pods request.
pub(super) fn of_percent(written: i32) -> Values {
    whole(written, PERCENT.into_iter())
}

/// Fewest replicas that are recommended to who has more. The replay knows no pod, node or zone that fails, so to it a
/// single replica is as good as two.
const REDUNDANT: i32 = 2;

/// Values of `minReplicas`. 0 and 1 are among them only if they are written, or fewer are: whether a service may be away
/// is no question of cost.
pub(super) fn of_replicas(written: i32, most: i32) -> Values {
    let least = written.min(REDUNDANT);
    let others = REPLICAS.into_iter();
    whole(
        written,
        others.filter(|replicas| (least..=most).contains(replicas)),
    )
}

/// Values of the stabilization window of scale-down, in seconds.
pub(super) fn of_window(written: i32) -> Values {
    whole(written, WINDOWS.into_iter())
}

/// Lists of policies of one direction, the slowest first.
pub(super) fn of_policies(written: &ScalingRules, up: bool) -> Values {
    let policy = |type_, value, period_seconds| ScalingPolicy {
        type_,
        value,
        period_seconds,
    };
    let (pods, percent) = (PolicyType::Pods, PolicyType::Percent);
    let lists = if up {
        vec![
            vec![policy(pods, 1, 60)],
            vec![policy(pods, 2, 60)],
            vec![policy(pods, 4, 60)],
            vec![policy(pods, 4, 60), policy(percent, 100, 60)],
            // The default of Kubernetes.
            vec![policy(pods, 4, 15), policy(percent, 100, 15)],
            vec![policy(pods, 10, 15), policy(percent, 300, 15)],
        ]
    } else {
        vec![
            vec![policy(pods, 1, 60)],
            vec![policy(percent, 10, 60)],
            vec![policy(percent, 25, 60)],
            vec![policy(percent, 50, 60)],
            // The default of Kubernetes.
            vec![policy(percent, 100, 15)],
        ]
    };
    let select = written.select_policy;
    let number = |list: &[ScalingPolicy]| (pace(list, select), json_of(list));
    // Two policies of which the smaller change counts would be another thing than these.
    let fitting = lists
        .iter()
        .filter(|list| list.len() == 1 || select == SelectPolicy::Max);
    sorted(number(&written.policies), fitting.map(|list| number(list)))
}

/// Pods that policies allow in a minute, from ten replicas: what orders them.
fn pace(list: &[ScalingPolicy], select: SelectPolicy) -> f64 {
    let each = list.iter().map(|policy| {
        let pods = match policy.type_ {
            PolicyType::Pods => f64::from(policy.value),
            PolicyType::Percent => f64::from(policy.value) / 10.0,
        };
        pods * 60.0 / f64::from(policy.period_seconds.max(1))
    });
    match select {
        SelectPolicy::Min => each.fold(f64::INFINITY, f64::min),
        SelectPolicy::Max | SelectPolicy::Disabled => each.fold(0.0, f64::max),
    }
}

/// Policies as the resource has them.
fn json_of(list: &[ScalingPolicy]) -> Value {
    let each = list.iter().map(|policy| {
        let type_ = match policy.type_ {
            PolicyType::Pods => "Pods",
            PolicyType::Percent => "Percent",
        };
        json!({"type": type_, "value": policy.value, "periodSeconds": policy.period_seconds})
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_keeps_its_spelling_and_its_neighbours_are_about_5_percent_away() {
        for written in [json!("70"), json!(70), json!("70000m")] {
            let found = of_target(&written, false).unwrap();
            assert_eq!(found.all[found.start], written);
            assert_eq!(found.all[found.start - 1], json!("67"));
            assert_eq!(found.all[found.start + 1], json!("74"));
            assert_eq!(found.all[0], json!("28"));
        }
        for (value, text) in [
            (133.0, "133"),
            (262.5, "260"),
            (0.475, "0.48"),
            (1.05, "1.05"),
            (84.0, "84"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(of_target(&json!("0"), false), None);
        assert_eq!(of_target(&json!("much"), false), None);
    }

    #[test]
    fn what_is_written_is_in_each_list_once_and_the_lists_rise() {
        let found = of_replicas(9, 12);
        assert_eq!(found.all, [2, 3, 4, 5, 6, 7, 8, 9, 10, 12].map(|one| json!(one)));
        assert_eq!(found.start, 7);
        assert_eq!(of_replicas(1, 2).all, [1, 2].map(|one| json!(one)));
        assert_eq!(of_replicas(0, 2).all, [0, 1, 2].map(|one| json!(one)));
        assert_eq!(of_window(300).all.len(), WINDOWS.len());
        assert_eq!(of_percent(62).start, 9);
    }

    #[test]
    fn policies_are_ordered_by_their_pace_and_only_single_ones_go_with_min() {
        let rules = |select_policy, policies: Vec<ScalingPolicy>| ScalingRules {
            stabilization_window_seconds: 0,
            policies,
            select_policy,
            tolerance: None,
        };
        let own = ScalingPolicy {
            type_: PolicyType::Percent,
            value: 30,
            period_seconds: 60,
        };
        let found = of_policies(&rules(SelectPolicy::Max, vec![own]), true);
        assert_eq!(
            (found.all.len(), found.start),
            (7, 2),
            "3 pods a minute: {found:?}"
        );
        let found = of_policies(&rules(SelectPolicy::Min, vec![own]), true);
        assert!(found.all.iter().all(|list| list.as_array().unwrap().len() == 1));
    }
}
