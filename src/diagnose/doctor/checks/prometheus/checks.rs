//! Judges the answers of Prometheus.

use std::collections::BTreeSet;

use super::{Facts, PrometheusSeen, RESETS_WINDOW, SelectedFacts, SeriesSeen};
use crate::doctor::{Finding, Severity, observed::Observed, view};
use vas_api::v1alpha1::OnMissing;
use vas_core::{k8s::read::Unread, metrics::promql::advise, spec::model::Series};

const OBJECT: &str = "Prometheus";
/// A counter that falls more often than this, on average per series, is no counter: restarts are rarer.
const MANY_RESETS: f64 = 3.0;
/// Endings of the names of counters, by the conventions of Prometheus.
const COUNTER_ENDINGS: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

/// Whether each Prometheus answers.
pub(crate) fn reachable(observed: &Observed) -> Vec<Finding> {
    let servers = match &observed.prometheus {
        Ok(servers) => servers,
        Err(why) => {
            return vec![Finding::skipped(OBJECT, why.to_string()).fix(
                "give --prometheus-url=URL; kubectl port-forward makes one: kubectl -n NS port-forward svc/NAME 9090",
            )];
        }
    };
    let server = |seen: &PrometheusSeen| match (&seen.reachable, &seen.name) {
        (Ok(()), _) => Finding::ok(seen.object(), format!("answers {}", seen.how)),
        (Err(words), name) => {
            Finding::problem(seen.object(), format!("does not answer {}: {words}", seen.how)).fix(
                if name.is_some() {
                    "check its entry in the configuration file; its url must be reachable from here too"
                } else {
                    "check VAS_PROMETHEUS_URL of Deployment vas-metrics-server, or give --prometheus-url"
                },
            )
        }
    };
    servers.iter().map(server).collect()
}

/// Whether Prometheus has series with the name and the labels of each metric.
pub(crate) fn series(observed: &Observed) -> Vec<Finding> {
    each(observed, |seen, facts, _| {
        let place = seen.place();
        Some(match (facts, &seen.series) {
            (Facts::Query(1), _) => {
                Finding::ok(seen.object(), format!("{place}: the query gives one series"))
            }
            (Facts::Query(series @ 1..), Series::PodQuery { .. }) => {
                Finding::ok(seen.object(), format!("{place}: the query gives {series} series"))
            }
            (Facts::Query(0), _) => missing(seen, format!("{place}: the query gives no series"))
                .fix("run it in Prometheus; write onMissing: Zero where no series means zero"),
            (Facts::Query(several), _) => Finding::problem(
                seen.object(),
                format!("{place}: the query gives {several} series instead of one"),
            )
            .fix("aggregate it, for example with sum(...) or max(...)"),
            (Facts::Selected(facts), series) => {
                let name = name(series);
                // Name the first step that left no series: the later ones would only repeat it.
                if facts.all == 0 {
                    missing(seen, format!("{place}: Prometheus has no series {name}")).fix(format!(
                        "check the name and that its target is scraped: up, and {{__name__=~\"{}.*\"}}",
                        stem(name)
                    ))
                } else if let Some(matchers) = &facts.foreign_to {
                    missing(
                        seen,
                        format!("{place}: none of {} series {name} has {matchers}", facts.all),
                    )
                    .fix("correct the metrics server's --matchers (VAS_MATCHERS), or `matchers` in its --config")
                } else if facts.matched == 0 {
                    let culprits = if facts.empty_matchers.is_empty() {
                        "no series has all of matchLabels together".to_owned()
                    } else {
                        format!(
                            "matchLabels {} removes them all",
                            facts.empty_matchers.join(" and ")
                        )
                    };
                    missing(
                        seen,
                        format!("{place}: of {} series {name}, {culprits}", facts.all),
                    )
                    .fix("correct matchLabels; the values are those of the series in Prometheus")
                } else {
                    Finding::ok(seen.object(), format!("{place}: {} series {name}", facts.matched))
                }
            }
        })
    })
}

/// Whether the series have the label of the namespace and, if needed, the label of the pod.
pub(crate) fn labels(observed: &Observed) -> Vec<Finding> {
    each(observed, |seen, facts, prometheus| {
        let facts = matched(facts)?;
        let (place, namespace) = (seen.place(), &prometheus.namespace_label);
        if facts.in_namespace == 0 {
            let finding = if facts.labels.contains(namespace) {
                let others = facts.namespaces.join(", ");
                missing(
                    seen,
                    format!(
                        "{place}: no series has {namespace}=\"{}\"; they have {others}",
                        seen.namespace
                    ),
                )
            } else {
                missing(
                    seen,
                    format!(
                        "{place}: the series have no label {namespace}, only {}",
                        listed(&facts.labels)
                    ),
                )
            };
            return Some(finding.fix(
                "add the label by relabelling, or name the right one with the metrics server's --namespace-label (VAS_NAMESPACE_LABEL)",
            ));
        }
        if is_of_pods(&seen.series) && facts.pods.iter().all(String::is_empty) {
            return Some(
                missing(
                    seen,
                    format!(
                        "{place}: the series have no label {}, only {}",
                        prometheus.pod_label,
                        listed(&facts.labels)
                    ),
                )
                .fix("add the label by relabelling, or name the right one with the metrics server's --pod-label (VAS_POD_LABEL)"),
            );
        }
        Some(Finding::ok(
            seen.object(),
            format!("{place}: {} series with the labels", facts.in_namespace),
        ))
    })
}

/// Whether the metric has one value per pod.
fn is_of_pods(series: &Series) -> bool {
    match series {
        Series::RequestRate { .. } | Series::PodGauge { .. } => true,
        Series::Gauge { .. } | Series::Query { .. } | Series::PodQuery { .. } => false,
    }
}

/// Whether the pods of a counter's series are the target's live pods.
pub(crate) fn pods(observed: &Observed) -> Vec<Finding> {
    each(observed, |seen, facts, prometheus| {
        let facts = matched(facts)?;
        if !is_of_pods(&seen.series) || facts.pods.iter().all(String::is_empty) {
            return None;
        }
        let place = seen.place();
        let live = match live_pods(observed, seen) {
            Ok(live) => live,
            Err(why) => {
                return Some(Finding::skipped(
                    seen.object(),
                    format!("{place}: live pods: {why}"),
                ));
            }
        };
        if live.is_empty() {
            return Some(Finding::skipped(
                seen.object(),
                format!("{place}: the target has no live pod"),
            ));
        }
        let without: Vec<&String> = live.difference(&facts.pods).collect();
        let label = &prometheus.pod_label;
        let example = facts
            .pods
            .iter()
            .find(|pod| !pod.is_empty())
            .cloned()
            .unwrap_or_default();
        Some(match without.as_slice() {
            [] => Finding::ok(seen.object(), format!("{place}: a series for each of {} live pods", live.len())),
            // If no live pod has a series, the label is wrong. If only some have none, they may be new.
            [first, ..] if without.len() == live.len() => missing(
                seen,
                format!("{place}: {label} is never the name of a live pod, such as {first}, but for example {example}"),
            )
            .fix("relabel so that the label holds the pod's name, or name the right label with --pod-label"),
            [first, ..] => Finding::warning(
                seen.object(),
                format!("{place}: {} of {} live pods have no series, for example {first}", without.len(), live.len()),
            )
            .fix("is each pod scraped? A new pod has its first rate after two scrapes"),
        })
    })
}

/// Whether the series of a namespace come from a single cluster.
pub(crate) fn clusters(observed: &Observed) -> Vec<Finding> {
    each(observed, |seen, facts, _| {
        let facts = matched(facts)?;
        let place = seen.place();
        let Some((label, values)) = &facts.clusters else {
            return Some(Finding::ok(
                seen.object(),
                format!("{place}: the series of one cluster"),
            ));
        };
        let example = values.iter().find(|value| !value.is_empty());
        let shown: Vec<&str> = values
            .iter()
            .map(|value| if value.is_empty() { "missing" } else { value })
            .collect();
        Some(
            Finding::problem(
                seen.object(),
                format!(
                    "{place}: the series of namespace {} come from several clusters: {label} is {}",
                    seen.namespace,
                    shown.join(", ")
                ),
            )
            .fix(format!(
                "name this cluster: --matchers={label}={} (VAS_MATCHERS) of the metrics server, or `matchers` in its --config",
                example.map_or("...", String::as_str)
            )),
        )
    })
}

/// Whether a counter looks like a counter and a gauge like a gauge, and whether a query means what it seems
/// to mean.
pub(crate) fn types(observed: &Observed) -> Vec<Finding> {
    each(observed, |seen, facts, _| {
        if let Series::Query { query } | Series::PodQuery { query } = &seen.series {
            return Some(meaning(seen, query));
        }
        let facts = matched(facts)?;
        let place = seen.place();
        let finding = match &seen.series {
            Series::RequestRate { counter, .. } => {
                let ends_well = COUNTER_ENDINGS.iter().any(|ending| counter.ends_with(ending));
                match facts.resets {
                    // The values prove more than the name, so they are judged first.
                    Some(resets) if resets > MANY_RESETS => Finding::warning(
                        seen.object(),
                        format!("{place}: each series of {counter} fell {resets:.0} times in {RESETS_WINDOW}: it looks like a gauge"),
                    )
                    .fix("name a counter, or use queueDepth for a gauge"),
                    _ if !ends_well => Finding::warning(
                        seen.object(),
                        format!("{place}: {counter} is not called like a counter (..._total): is it one?"),
                    )
                    .fix("the rate of a gauge means nothing; use queueDepth or prometheus for one"),
                    _ => Finding::ok(seen.object(), format!("{place}: {counter} looks like a counter")),
                }
            }
            Series::Gauge { gauge, .. } | Series::PodGauge { gauge, .. } if gauge.ends_with("_total") => {
                Finding::warning(
                    seen.object(),
                    format!("{place}: {gauge} is called like a counter, which only grows"),
                )
                .fix("use requestRate for a counter")
            }
            Series::Gauge { gauge, .. } | Series::PodGauge { gauge, .. } => {
                Finding::ok(seen.object(), format!("{place}: {gauge} looks like a gauge"))
            }
            Series::Query { .. } | Series::PodQuery { .. } => return None,
        };
        Some(finding)
    })
}

/// The advice about a valid query.
fn meaning(seen: &SeriesSeen, query: &str) -> Finding {
    let place = seen.place();
    let words: Vec<String> = match advise(query) {
        Ok(advice) => advice.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    };
    if words.is_empty() {
        return Finding::ok(
            seen.object(),
            format!("{place}: the query means what it seems to mean"),
        );
    }
    Finding::warning(seen.object(), format!("{place}: {}", words.join("; ")))
        .fix("correct the query in the resource")
}

/// Runs a check on each metric of each Prometheus.
fn each(
    observed: &Observed,
    check: impl Fn(&SeriesSeen, &Facts, &PrometheusSeen) -> Option<Finding>,
) -> Vec<Finding> {
    let Ok(servers) = &observed.prometheus else {
        return vec![Finding::skipped(OBJECT, "Prometheus was not asked")];
    };
    servers
        .iter()
        .flat_map(|server| each_of(server, &check))
        .collect()
}

/// Runs a check on each metric of one Prometheus.
fn each_of(
    prometheus: &PrometheusSeen,
    check: &impl Fn(&SeriesSeen, &Facts, &PrometheusSeen) -> Option<Finding>,
) -> Vec<Finding> {
    let silent = prometheus.reachable.is_err();
    let skipped = || {
        Finding::skipped(
            prometheus.object(),
            format!("{} does not answer", prometheus.object()),
        )
    };
    let seen = prometheus.series.iter().filter_map(|seen| match &seen.facts {
        Ok(facts) => check(seen, facts, prometheus),
        Err(Unread::NotAsked(why)) => Some(Finding::skipped(
            seen.object(),
            format!("{}: {why}", seen.place()),
        )),
        Err(why) => Some(Finding::problem(
            seen.object(),
            format!("{}: {why}", seen.place()),
        )),
    });
    silent.then(skipped).into_iter().chain(seen).collect()
}

/// The facts about a counter or a gauge, if any series matched.
fn matched(facts: &Facts) -> Option<&SelectedFacts> {
    match facts {
        Facts::Selected(facts) if facts.matched > 0 => Some(facts),
        _ => None,
    }
}

/// A finding about missing data. Its severity depends on what missing data means for the metric.
fn missing(seen: &SeriesSeen, message: String) -> Finding {
    match seen.on_missing {
        OnMissing::Hold => Finding::problem(seen.object(), message),
        OnMissing::Zero => {
            let mut finding = Finding::problem(
                seen.object(),
                format!("{message}; that counts as zero (onMissing: Zero)"),
            );
            finding.severity = Severity::Warning;
            finding
        }
    }
}

fn live_pods(observed: &Observed, seen: &SeriesSeen) -> Result<BTreeSet<String>, Unread> {
    let view = view::workloads(observed).find(|view| {
        view.workload.name == seen.workload
            && view.scaling.key.name == seen.scaling
            && view.scaling.key.namespace == seen.namespace
    });
    let view = view.ok_or_else(|| Unread::NotAsked("the workload is not valid".to_owned()))?;
    let names = view
        .live_pods()?
        .into_iter()
        .filter_map(|pod| pod.metadata.name.clone());
    Ok(names.collect())
}

fn name(series: &Series) -> &str {
    match series {
        Series::RequestRate { counter, .. } => counter,
        Series::Gauge { gauge, .. } | Series::PodGauge { gauge, .. } => gauge,
        Series::Query { query } | Series::PodQuery { query } => query,
    }
}

/// The name without its last part: `jobs` of `jobs_waiting`. A name that was mistyped at the end has the same
/// stem.
fn stem(name: &str) -> &str {
    name.rsplit_once('_').map_or(name, |(stem, _)| stem)
}

fn listed(labels: &BTreeSet<String>) -> String {
    let names: Vec<&str> = labels
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "__name__")
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
