//! The checks of the demo: each passes or fails, with the reasons.

use crate::{
    clock::Clock,
    gather::{self, HPA_CONTROLLER},
    judgement::Judgement,
    oracle::{Moment, Verdict},
    record::Record,
    story::{PEAK_PODS, Story},
    table::clock as time,
    workload::Workload,
};
use support::audit::Request;

/// One check of the judgement, with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Whether it passed.
    pub passed: bool,
    /// What was found, in one line.
    pub text: String,
    /// What is wrong, one line each.
    pub details: Vec<String>,
}

impl Finding {
    /// A check that passes if there are no details.
    pub(crate) fn new(text: String, details: Vec<String>) -> Self {
        Self {
            passed: details.is_empty(),
            text,
            details,
        }
    }
}

/// Checks that the oracle agrees with every sync of the HPA.
pub(crate) fn replicas(judgement: &Judgement, began: Moment) -> Finding {
    let judged = judgement.verdicts.iter().filter(|verdict| verdict.judged);
    let rescales = judged
        .clone()
        .filter(|verdict| verdict.chosen != verdict.current)
        .count();
    let mut details: Vec<String> = judged
        .clone()
        .filter(|verdict| !verdict.is_right())
        .map(|verdict| wrong(verdict, began))
        .collect();
    let syncs = judged.clone().count();
    let right = judged.clone().filter(|verdict| verdict.is_right()).count();
    let exact = judged
        .filter(|verdict| verdict.allowed.low == verdict.allowed.high)
        .count();
    if rescales == 0 {
        details.push("it never rescaled".to_owned());
    }
    Finding::new(
        format!(
            "{}: {rescales} rescales in {syncs} syncs, {right} as computed from Prometheus' samples ({exact} to one count)",
            judgement.workload.name()
        ),
        details,
    )
}

fn wrong(verdict: &Verdict, began: Moment) -> String {
    let proposed = verdict
        .proposed
        .map_or_else(|| "no data".to_owned(), |proposed| format!("proposed {proposed}"));
    let by = match verdict.deciding.as_slice() {
        [] => "no metric".to_owned(),
        metrics => metrics.join(" or "),
    };
    format!(
        "{} {} -> {}, but the algorithm gives {} ({proposed}, by {by})",
        time(verdict.at - began),
        verdict.current,
        verdict.chosen,
        verdict.allowed
    )
}

/// Checks that a metric alone decided at least one rescale upward.
pub(crate) fn decided(judgement: &Judgement, metric: &str) -> Finding {
    let path: Vec<String> = judgement
        .verdicts
        .iter()
        .filter(|verdict| verdict.judged && verdict.chosen > verdict.current && verdict.deciding == [metric])
        .map(|verdict| format!("{} -> {}", verdict.current, verdict.chosen))
        .collect();
    let missing = path
        .is_empty()
        .then(|| format!("{metric} alone never decided a rescale upward"));
    Finding::new(
        format!(
            "{}: {metric} alone decided {}",
            judgement.workload.name(),
            path.join(", ")
        ),
        missing.into_iter().collect(),
    )
}

/// Checks that no replicas fell while Prometheus was down, that none fell that the load still needed once
/// Prometheus was back, and that the conditions said why.
///
/// The ramp may end above the pods that the peak needs, because rates per pod still fall when the last pods become
/// Ready: 11 pods run, 900 requests/s need 9. With whole rates the HPA rightly takes those away, so a fall from
/// 11 to 10 after the outage is no finding, and a fall from 9 to 8 is one.
pub(crate) fn held(record: &Record, story: &Story, without: Option<i32>) -> Finding {
    let outage = story.outage;
    let Some(outage) = outage else {
        return Finding::new("Prometheus was down".to_owned(), vec!["it never was".to_owned()]);
    };
    let mut details = Vec::new();
    let mut counts = Vec::new();
    for workload in Workload::ALL {
        let Some(seen) = record.workloads.get(&workload) else {
            continue;
        };
        let specs = |from, to| -> Vec<i32> {
            let scales = seen.scale.during(from, to);
            scales.map(|scale| scale.spec).collect()
        };
        let (down, back) = (specs(outage.from, outage.to), specs(outage.to, story.burst));
        let is_needed = |count: i32| workload != Workload::Gateway || count < PEAK_PODS;
        for (when, wrong) in [
            ("while Prometheus was down", falls(&down, |_| true)),
            ("below what the load needs", falls(&back, is_needed)),
        ] {
            if let Some((before, after)) = wrong {
                details.push(format!(
                    "{} fell from {before} to {after} {when}",
                    workload.name()
                ));
            }
        }
        let specs = if back.is_empty() { down } else { back };
        let explained = seen.hpa.during(outage.from, outage.to).any(|hpa| {
            hpa.active
                .as_ref()
                .is_some_and(|active| active.status == "False" && !active.message.is_empty())
        });
        if workload == Workload::Gateway && !explained {
            details.push("the HPA's ScalingActive never said why it held".to_owned());
        }
        counts.extend(
            specs
                .last()
                .map(|count| format!("{} at {count}", workload.name())),
        );
    }
    let said = record
        .metrics_available
        .during(outage.from, outage.to)
        .any(|condition| condition.status == "False" && !condition.message.is_empty());
    if !said {
        details.push("the VoiceAssistScaling's MetricsAvailable never said why".to_owned());
    }
    let without = without.map_or_else(String::new, |count| {
        format!("; CPU and memory alone asked for {count}")
    });
    Finding::new(
        format!(
            "replicas held while Prometheus was down for {:.0} s, and as long as the load needed them ({}{without})",
            outage.to - outage.from,
            counts.join(", ")
        ),
        details,
    )
}

/// The first fall to a count that `is_wrong`.
fn falls(counts: &[i32], is_wrong: impl Fn(i32) -> bool) -> Option<(i32, i32)> {
    counts.windows(2).find_map(|pair| match pair {
        [before, after] if after < before && is_wrong(*after) => Some((*before, *after)),
        _ => None,
    })
}

/// Checks that only the HPA controller wrote replicas.
pub(crate) fn writers(clock: Clock, requests: &[Request], from: Moment) -> Finding {
    let (count, others) = gather::scale_writers(clock, requests, from);
    let mut details: Vec<String> = others
        .iter()
        .map(|writer| format!("{} by {}", writer.what, writer.user))
        .collect();
    if count == 0 {
        details.push("no write by the HPA controller is in the audit log".to_owned());
    }
    Finding::new(
        format!(
            "audit log: {count} writes to scale by {HPA_CONTROLLER}, {} by anyone else",
            others.len()
        ),
        details,
    )
}

/// Checks that every step of the story came in time, and that both workloads are at the minimum at the end.
pub(crate) fn ended(record: &Record, story: &Story) -> Finding {
    let mut details = story.missed.clone();
    let mut counts = Vec::new();
    for workload in Workload::ALL {
        let (scale, _) = record.now(workload);
        let (min, _) = workload.bounds();
        counts.push(format!("{} {}", workload.name(), scale.spec));
        if scale.spec != min {
            details.push(format!("{} is at {}, not at {min}", workload.name(), scale.spec));
        }
    }
    Finding::new(format!("back at the minimum: {}", counts.join(", ")), details)
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
