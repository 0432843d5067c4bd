//! Writes amounts, policies and the summary as text.

use super::report::{MetricReport, Replicas};
use vas_core::hpa::{Cause, Decision, Direction, Measured, Milli, Policy, Rules, Select, Source, Target};

/// The unit in which an amount is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Cores,
    Bytes,
    Plain,
}

impl Unit {
    pub(super) fn of(source: &Source) -> Self {
        match source {
            Source::Resource { resource } | Source::ContainerResource { resource, .. } => {
                if resource == "cpu" {
                    Self::Cores
                } else {
                    Self::Bytes
                }
            }
            Source::Pods | Source::Object | Source::External => Self::Plain,
        }
    }

    /// Formats an amount: `250m`, `128Mi`, `4.5`.
    pub(super) fn show(self, amount: Milli) -> String {
        let whole = amount / 1000;
        match self {
            Self::Cores if amount % 1000 != 0 => format!("{amount}m"),
            Self::Bytes => bytes(whole),
            _ if amount % 1000 == 0 => whole.to_string(),
            _ => {
                let sign = if amount < 0 { "-" } else { "" };
                let text = format!("{sign}{}.{:03}", whole.abs(), (amount % 1000).abs());
                text.trim_end_matches('0').to_owned()
            }
        }
    }
}

fn bytes(bytes: i64) -> String {
    let units = [("Gi", 30), ("Mi", 20), ("Ki", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes >> shift > 0);
    let Some((suffix, shift)) = unit else {
        return bytes.to_string();
    };
    let tenths = (i128::from(bytes) * 10) >> shift;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}{suffix}"),
        (whole, tenth) => format!("{whole}.{tenth}{suffix}"),
    }
}

pub(super) fn target(unit: Unit, target: Target) -> String {
    match target {
        Target::Utilization(percent) => format!("{percent}% of requests"),
        Target::AverageValue(amount) => format!("{} per pod", unit.show(amount)),
        Target::Value(amount) => unit.show(amount),
    }
}

/// Formats a value in the unit of its target.
pub(super) fn measured(unit: Unit, measured: Measured, target: Target, status: i32) -> String {
    match (measured, target) {
        (Measured::Utilization(percent), _) => format!("{percent}% of requests"),
        (Measured::Average(amount), _) => format!("{} per pod", unit.show(amount)),
        (Measured::Total(total), Target::AverageValue(_)) if status > 0 => {
            // Rounded up. The sum may be the largest number, to which nothing can be added.
            let (whole, rest) = (total.div_euclid(status.into()), total.rem_euclid(status.into()));
            let average = whole + i64::from(rest > 0);
            format!("{} per pod ({} in all)", unit.show(average), unit.show(total))
        }
        (Measured::Total(total), _) => unit.show(total),
    }
}

pub(super) fn policies(rules: &Rules) -> String {
    let policy = |policy: &Policy| match policy {
        Policy::Pods(value, period) => format!("{} per {period} s", pods(*value)),
        Policy::Percent(value, period) => format!("{value}% per {period} s"),
    };
    let which = match rules.select {
        Select::Disabled => return "off (selectPolicy: Disabled)".to_owned(),
        Select::Max => "whichever is more",
        Select::Min => "whichever is less",
    };
    let listed: Vec<String> = rules.policies.iter().map(policy).collect();
    match listed.as_slice() {
        [one] => one.clone(),
        several => format!("{}, {which}", several.join(" or ")),
    }
}

fn pods(number: i32) -> String {
    if number == 1 {
        "1 pod".to_owned()
    } else {
        format!("{number} pods")
    }
}

fn replicas(number: i32) -> String {
    if number == 1 {
        "1 replica".to_owned()
    } else {
        format!("{number} replicas")
    }
}

/// The facts that the summary is made of.
pub(super) struct Facts<'a> {
    pub(super) workload: &'a str,
    pub(super) replicas: Replicas,
    pub(super) decision: &'a Decision,
    /// Whether the decision depends on nothing that only the controller knows.
    pub(super) exact: bool,
    pub(super) metrics: &'a [MetricReport],
    pub(super) suspended: bool,
    pub(super) exists: bool,
    pub(super) windows: (i32, i32),
    pub(super) policies: Option<(String, String)>,
}

/// The summary: the replicas now, the metric that decides, what limits it, and the replicas after the next
/// sync.
pub(super) fn summary(facts: &Facts<'_>) -> String {
    let mut parts = vec![replicas(facts.replicas.current)];
    if let Some(asks) = asks(facts) {
        parts.push(asks);
    }
    parts.push(limit(facts));
    let mut text = format!("{}: {}.", facts.workload, parts.join("; "));
    if !facts.exact {
        text.push_str(" As far as can be seen: only the controller knows its last minutes.");
    }
    if !facts.exists {
        text.push_str(" There is no HPA yet; this is what the one that the operator writes would do.");
    }
    text
}

fn asks(facts: &Facts<'_>) -> Option<String> {
    let proposal = facts.decision.proposal?;
    let metric = facts.metrics.get(facts.decision.metric?)?;
    let value = metric.value.as_deref().unwrap_or_default();
    let (name, target) = (&metric.name, &metric.target);
    Some(if proposal == facts.replicas.current {
        format!("{name} asks for as many ({value}, target {target})")
    } else {
        format!("{name} asks for {proposal} ({value}, target {target})")
    })
}

fn direction(facts: &Facts<'_>) -> Direction {
    if facts
        .decision
        .proposal
        .is_some_and(|proposal| proposal > facts.replicas.current)
    {
        Direction::Up
    } else {
        Direction::Down
    }
}

fn limit(facts: &Facts<'_>) -> String {
    let Decision {
        desired, eventually, ..
    } = *facts.decision;
    let Replicas {
        current, min, max, ..
    } = facts.replicas;
    let missing = || {
        let missing = facts.metrics.iter().filter(|metric| metric.error.is_some());
        missing
            .map(|metric| metric.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let in_the_end = if eventually == desired {
        String::new()
    } else {
        format!(", {eventually} in the end")
    };
    let speed = |way: &str, policies: Option<&String>| {
        let policies = policies.map_or_else(|| "at most double, or 4".to_owned(), Clone::clone);
        format!("the HPA may {way} {policies}: next {desired}{in_the_end}")
    };
    match facts.decision.cause {
        Cause::ScalingDisabled => {
            "scaled to zero by hand, which switches autoscaling off until somebody scales it up".to_owned()
        }
        Cause::OutOfRange if current > max => {
            format!("more than maxReplicas {max}: next {desired}, whatever the metrics say")
        }
        Cause::OutOfRange => {
            format!("fewer than minReplicas {min}: next {desired}, whatever the metrics say")
        }
        Cause::AmbiguousSelector => {
            "another HPA selects the same pods, so neither acts; remove one, or make the selectors differ"
                .to_owned()
        }
        Cause::InvalidSelector => {
            "the scale subresource of the target has no selector of pods, so the HPA holds".to_owned()
        }
        Cause::NoMetrics => format!("no metric has a value ({}), so the HPA holds", missing()),
        Cause::MissingMetrics => format!(
            "{} has no value, and without it nothing is scaled down: next {desired}",
            missing()
        ),
        Cause::DirectionDisabled if facts.suspended => format!("suspended: next {desired}"),
        Cause::DirectionDisabled => format!("selectPolicy is Disabled in that direction: next {desired}"),
        Cause::Stabilized => {
            let (word, window) = match direction(facts) {
                Direction::Up => ("lower", facts.windows.0),
                Direction::Down => ("higher", facts.windows.1),
            };
            format!(
                "held until no recommendation of the last {window} s was {word}: next {desired}{in_the_end}"
            )
        }
        Cause::DesiredWithinRange if desired == current => "nothing to do".to_owned(),
        Cause::DesiredWithinRange => format!("next {desired}"),
        Cause::TooManyReplicas => format!("maxReplicas is {max}: next {desired}"),
        Cause::TooFewReplicas => format!("minReplicas is {min}: next {desired}"),
        Cause::ScaleUpLimit => speed("add", facts.policies.as_ref().map(|policies| &policies.0)),
        Cause::ScaleDownLimit => speed("remove", facts.policies.as_ref().map(|policies| &policies.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_like_those_of_kubectl() {
        for (unit, amount, text) in [
            (Unit::Plain, 150_000, "150"),
            (Unit::Plain, 1_500, "1.5"),
            (Unit::Plain, 1, "0.001"),
            (Unit::Cores, 250, "250m"),
            (Unit::Cores, 2_000, "2"),
            (Unit::Bytes, (128 << 20) * 1000, "128Mi"),
            (Unit::Bytes, (3 << 29) * 1000, "1.5Gi"),
            (Unit::Bytes, 12_000, "12"),
        ] {
            assert_eq!(unit.show(amount), text);
        }
    }

    #[test]
    fn the_largest_total_has_an_average() {
        let words = measured(
            Unit::Plain,
            Measured::Total(i64::MAX),
            Target::AverageValue(1000),
            3,
        );
        assert_eq!(
            words,
            "3074457345618258.603 per pod (9223372036854775.807 in all)"
        );
    }

    #[test]
    fn policies_say_which_counts() {
        let rules = |select, policies: &[Policy]| Rules {
            window: 0,
            select,
            policies: policies.to_vec(),
            tolerance: None,
        };
        let both = [Policy::Pods(1, 30), Policy::Percent(50, 60)];
        assert_eq!(
            policies(&rules(Select::Min, &both)),
            "1 pod per 30 s or 50% per 60 s, whichever is less"
        );
        assert_eq!(
            policies(&rules(Select::Max, &[Policy::Pods(2, 30)])),
            "2 pods per 30 s"
        );
        assert_eq!(
            policies(&rules(Select::Disabled, &both)),
            "off (selectPolicy: Disabled)"
        );
    }
}
