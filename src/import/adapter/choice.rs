//! Chooses the rule that serves a metric.
//!
//! prometheus-adapter goes through its rules in order, and the last rule whose series exist serves the
//! metric. Which series exist is not known here, so the last rule is chosen and the others are kept as
//! alternatives, marked as such.

use super::{
    Alternative, Entry, Import, Sources,
    candidates::{self, Found},
    case::Case,
    config::Rule,
    hpa_metric::{About, HpaMetric},
    labels,
    rule::Converted,
    target,
};
use crate::{Refused, names::Names};

/// A rule with its place in the file, such as `rules[2]`.
pub(super) struct Placed<'a> {
    field: String,
    external: bool,
    rule: &'a Rule,
}

impl Placed<'_> {
    /// Whether the rule has a label for the objects that the metric describes.
    fn names(&self, wanted: &HpaMetric) -> bool {
        let resources = &self.rule.resources;
        match &wanted.about {
            About::Pods => resources.pod().is_some(),
            About::Object { group, kind, .. } => resources.label(group, &kind.to_ascii_lowercase()).is_some(),
            About::External => true,
        }
    }
}

/// The entry, or the refusal, that one rule has for one metric.
struct Offer<'a> {
    placed: &'a Placed<'a>,
    series: String,
    /// Why the series is a guess, if it is one.
    guess: Option<String>,
    outcome: Result<Converted, String>,
}

/// All rules, in the order in which prometheus-adapter reads them.
pub(super) fn rules(sources: &Sources) -> Vec<Placed<'_>> {
    let mut rules = Vec::new();
    for source in &sources.list {
        let config = &source.config;
        for (list, external, name) in [
            (&config.rules, false, "rules"),
            (&config.external_rules, true, "externalRules"),
        ] {
            rules.extend(list.iter().enumerate().map(|(position, rule)| Placed {
                field: format!("{}{name}[{position}]", source.place),
                external,
                rule,
            }));
        }
    }
    rules
}

/// Makes at most one entry for each metric of the HPAs: a second entry without values would keep the HPA from
/// scaling down.
pub(super) fn for_hpas(
    rules: &[Placed<'_>],
    wanted: &[HpaMetric],
    elsewhere: &[String],
    import: &mut Import,
) {
    let mut used = vec![false; rules.len()];
    let mut serving = Vec::new();
    let mut hpa = "";
    let mut names = Names::default();
    for one in wanted {
        if one.hpa != hpa {
            hpa = &one.hpa;
            names = Names::default();
        }
        let mut offers = Vec::new();
        let mut unclear = Vec::new();
        for (position, placed) in rules.iter().enumerate() {
            if placed.external != (one.about == About::External) {
                continue;
            }
            let mut found = offered(placed, one, &mut unclear);
            if let Some(used) = used.get_mut(position) {
                *used |= !found.is_empty();
            }
            offers.append(&mut found);
        }
        // A rule without a label for the object serves no metric of that object.
        if offers.iter().any(|offer| offer.placed.names(one)) {
            offers.retain(|offer| offer.placed.names(one));
        }
        if offers.is_empty() {
            import.refused.push(unserved(rules, one, &unclear, elsewhere));
        } else {
            choose(offers, &one.metric, Some(one), &mut names, &mut serving, import);
        }
    }
    let unused = rules.iter().zip(&used).filter(|(_, used)| !**used);
    import
        .unused
        .extend(unused.map(|(placed, _)| placed.field.clone()));
    import.notes.extend(labels::notes(&serving));
}

/// Makes one entry for each metric of the rules that list their series. Used when no HPAs were given.
pub(super) fn for_all(rules: &[Placed<'_>], import: &mut Import) {
    let mut metrics: Vec<(bool, String, Vec<Offer<'_>>)> = Vec::new();
    for placed in rules {
        let refuse = |why: String| Refused {
            field: placed.field.clone(),
            series: placed.rule.series_query.clone(),
            why,
        };
        let series = match candidates::all(placed.rule) {
            Ok(Some(series)) if series.is_empty() => {
                let why = "name.matches or seriesFilters pass over its own series, so it exposes nothing";
                import.refused.push(refuse(why.to_owned()));
                continue;
            }
            Ok(Some(series)) => series,
            Ok(None) => {
                import.refused.push(refuse(
                    "it stands for every series whose name matches an expression, and only Prometheus knows which there \
                     are: give the HPAs that use it with --hpa, or write a rule per series"
                        .to_owned(),
                ));
                continue;
            }
            Err(why) => {
                import.refused.push(refuse(why));
                continue;
            }
        };
        for (series, metric) in series {
            let case = Case {
                rule: placed.rule,
                external: placed.external,
                series: &series,
                exposed: &metric,
                wanted: None,
            };
            let outcome = case.convert();
            let offer = Offer {
                placed,
                series,
                guess: None,
                outcome,
            };
            match metrics
                .iter_mut()
                .find(|(external, name, _)| *external == placed.external && *name == metric)
            {
                Some((.., offers)) => offers.push(offer),
                None => metrics.push((placed.external, metric, vec![offer])),
            }
        }
    }
    let mut names = Names::default();
    let mut serving = Vec::new();
    for (_, metric, offers) in metrics {
        choose(offers, &metric, None, &mut names, &mut serving, import);
    }
    import.notes.extend(labels::notes(&serving));
}

/// The offers of one rule for a metric. If the rule does not say whether it serves the metric, the reason
/// goes into `unclear`.
fn offered<'a>(placed: &'a Placed<'a>, wanted: &HpaMetric, unclear: &mut Vec<String>) -> Vec<Offer<'a>> {
    let (series, guess) = match candidates::exposed_as(placed.rule, &wanted.metric) {
        Ok(Found::Only(series)) => (series, None),
        Ok(Found::Among(series)) => {
            let pattern = &placed.rule.name.matches;
            let guess = format!(
                "name.matches {pattern:?} leaves the end of the series' name open; this is the shortest"
            );
            (series, Some(guess))
        }
        // The query does not use the name of the series, so any name will do.
        Ok(Found::Open) if !placed.rule.metrics_query.contains(".Series") => {
            (vec![wanted.metric.clone()], None)
        }
        Ok(Found::Open) => {
            unclear.push(format!(
                "{} exposes every series it finds under a name of its own",
                placed.field
            ));
            return Vec::new();
        }
        Err(why) => {
            unclear.push(format!("{}: {why}", placed.field));
            return Vec::new();
        }
    };
    let offer = |series: String| {
        let case = Case {
            rule: placed.rule,
            external: placed.external,
            series: &series,
            exposed: &wanted.metric,
            wanted: Some(wanted),
        };
        let outcome = case.convert();
        Offer {
            placed,
            series,
            guess: guess.clone(),
            outcome,
        }
    };
    series.into_iter().map(offer).collect()
}

/// Adds the entry of the last offer that has one; the other offers become its alternatives. If none has an
/// entry, all reasons are reported.
fn choose<'a>(
    mut offers: Vec<Offer<'a>>,
    metric: &str,
    wanted: Option<&HpaMetric>,
    names: &mut Names,
    serving: &mut Vec<&'a Rule>,
    import: &mut Import,
) {
    // Neighbouring rules that give the same entry are one offer. Of the others the last one serves the
    // metric.
    offers.dedup_by(|later, earlier| later.outcome.is_ok() && later.outcome == earlier.outcome);
    let chosen = offers.iter().rposition(|offer| offer.outcome.is_ok());
    let Some(chosen) = chosen.map(|position| offers.remove(position)) else {
        import.refused.extend(offers.into_iter().filter_map(|offer| {
            let hpa = wanted
                .map(|wanted| format!(" (HPA {})", wanted.hpa))
                .unwrap_or_default();
            Some(Refused {
                field: offer.placed.field.clone(),
                series: offer.series,
                why: format!("{}{hpa}", offer.outcome.err()?),
            })
        }));
        return;
    };
    let Ok(converted) = chosen.outcome else { return };
    serving.push(chosen.placed.rule);
    let mut comments = vec![format!("{}: {metric} of {}", chosen.placed.field, chosen.series)];
    comments.push(target_comment(wanted, &converted));
    if chosen.placed.external && wanted.is_none() {
        comments.push("add to it what the HPA's metric selector says (--hpa does)".to_owned());
    }
    if !offers.is_empty() {
        comments.push(format!(
            "a guess: {} rules or series can serve {metric}, and prometheus-adapter takes the last whose series exist",
            offers.len() + 1
        ));
    }
    comments.extend(chosen.guess.map(|guess| format!("a guess: {guess}")));
    comments.extend(converted.comments);
    let mut metric = converted.metric;
    metric.name = names.unique(&metric.name);
    import.entries.push(Entry {
        hpa: wanted.map(|wanted| wanted.hpa.clone()),
        comments,
        has_target: target::is_known(wanted),
        alternatives: offers
            .into_iter()
            .map(|offer| alternative(offer, &metric.name))
            .collect(),
        metric,
    });
}

fn alternative(offer: Offer<'_>, name: &str) -> Alternative {
    Alternative {
        field: offer.placed.field.clone(),
        series: offer.series,
        metric: offer.outcome.map(|converted| {
            let mut metric = converted.metric;
            name.clone_into(&mut metric.name);
            Box::new(metric)
        }),
    }
}

fn target_comment(wanted: Option<&HpaMetric>, converted: &Converted) -> String {
    match wanted {
        Some(wanted) if target::is_known(Some(wanted)) => format!("target of HPA {}", wanted.hpa),
        _ if converted.metric.request_rate.is_some() => {
            "fill in target.averageValue: how much one pod should carry".to_owned()
        }
        _ => "fill in target: averageValue is per pod, value in all; take the HPA's".to_owned(),
    }
}

/// The report about a metric of an HPA that no rule serves.
fn unserved(rules: &[Placed<'_>], wanted: &HpaMetric, unclear: &[String], elsewhere: &[String]) -> Refused {
    let external = wanted.about == About::External;
    let list = if external { "externalRules" } else { "rules" };
    let mut why = format!("no rule of {list} serves it");
    let in_other_list = rules
        .iter()
        .filter(|placed| placed.external != external)
        .find(|placed| {
            candidates::exposed_as(placed.rule, &wanted.metric).is_ok_and(
                |found| matches!(found, Found::Only(series) | Found::Among(series) if !series.is_empty()),
            )
        });
    if let Some(placed) = in_other_list {
        let (has, asks) = if external {
            ("custom.metrics.k8s.io", "an External metric")
        } else {
            ("external.metrics.k8s.io", "a Pods or Object metric")
        };
        why = format!(
            "{why}: {} serves it in {has}, and the HPA asks for {asks}",
            placed.field
        );
    }
    if !unclear.is_empty() {
        why = format!("{why} for sure: {}", unclear.join("; "));
    }
    if !elsewhere.is_empty() {
        why = format!("{why}; there are rules that are not in this file, see below");
    }
    Refused {
        field: format!("HPA {}", wanted.hpa),
        series: wanted.metric.clone(),
        why,
    }
}
