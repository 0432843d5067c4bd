//! One rule, and what an HPA asks of it, becomes an entry or a reason.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use promql_parser::parser::{self, Expr};

use super::{
    Entry, Import, Refused,
    config::Rule,
    name,
    query::{self, Asked, Extra, Series},
    template,
    wanted::{About, Wanted},
};
use crate::{
    api::v1alpha1::{
        Aggregation, Metric, ObjectTarget, PodsTarget, PrometheusSource, QueueDepthSource, RequestRateSource,
    },
    core::duration,
};

/// A target that no rule of the resource accepts, so that nobody forgets to fill it in.
const PLACEHOLDER: &str = "0";
/// Longest window of a rate.
const MAX_WINDOW: u64 = 3600;

/// What one entry is made of.
struct Case<'a> {
    rule: &'a Rule,
    external: bool,
    series: &'a str,
    exposed: &'a str,
    wanted: Option<&'a Wanted>,
}

/// Converts one rule.
pub(super) fn convert(rule: &Rule, field: &str, external: bool, wanted: &[Wanted], import: &mut Import) {
    let refuse = |series: &str, why: String| Refused {
        field: field.to_owned(),
        series: series.to_owned(),
        why,
    };
    let series = match found(rule, external, wanted) {
        Ok(series) => series,
        Err(why) => return import.refused.push(refuse(&rule.series_query, why)),
    };
    for (series, exposed) in series {
        let asking = wanted
            .iter()
            .filter(|one| one.metric == exposed && one.is_for(external));
        let mut asking: Vec<Option<&Wanted>> = asking.map(Some).collect();
        if asking.is_empty() {
            asking.push(None);
        }
        for wanted in asking {
            let case = Case {
                rule,
                external,
                series: &series,
                exposed: &exposed,
                wanted,
            };
            match case.entry(field) {
                Ok(entry) => {
                    import.notes.extend(rule.resources.label_notes());
                    import.entries.push(entry);
                }
                Err(why) => import.refused.push(refuse(&series, why)),
            }
        }
    }
}

/// The series of a rule and what they are exposed as. Where the rule leaves them open, HPAs say which are used.
fn found(rule: &Rule, external: bool, wanted: &[Wanted]) -> Result<Vec<(String, String)>, String> {
    let series = query::series(&rule.series_query)?;
    if let Series::Named(named) = &series {
        let exposed = name::exposed(rule, named)?
            .ok_or("name.matches or seriesFilters pass over its own series, so it exposes nothing")?;
        return Ok(vec![(named.clone(), exposed)]);
    }
    let mut found = BTreeMap::new();
    for one in wanted.iter().filter(|one| one.is_for(external)) {
        for candidate in name::candidates(rule, &one.metric) {
            if series.has(&candidate) && name::exposed(rule, &candidate)?.as_ref() == Some(&one.metric) {
                found.insert(candidate, one.metric.clone());
                break;
            }
        }
    }
    if found.is_empty() {
        return Err(
            "it stands for every series whose name matches an expression, and only Prometheus knows which \
             there are: give the HPAs that use it with --hpa, or write a rule per series"
                .to_owned(),
        );
    }
    Ok(found.into_iter().collect())
}

impl Wanted {
    fn is_for(&self, external: bool) -> bool {
        external == (self.about == About::External)
    }
}

impl Case<'_> {
    fn entry(&self, field: &str) -> Result<Entry, String> {
        if !self.rule.label_value_replacements.is_empty() {
            return Err(
                "labelValueReplacements has no counterpart; label values are matched as they are".to_owned(),
            );
        }
        if self.external && self.rule.resources.namespaced == Some(false) {
            return Err(
                "namespaced: false reads across namespaces; vas binds every query to the namespace of the \
                 resource, so put the resource where the series are"
                    .to_owned(),
            );
        }
        if !self.external && self.namespace_label().is_none() {
            return Err(
                "it has no label for the namespace, so it describes nodes or the whole cluster".to_owned(),
            );
        }
        let rendered = template::render(&self.rule.metrics_query, self.series)?;
        let (asked, expr) = query::read(&rendered)?;
        let mut metric = Metric {
            name: name::metric_name(self.exposed),
            ..Metric::default()
        };
        let by_pod = match self.wanted.map(|wanted| &wanted.about) {
            Some(About::Pods) => true,
            Some(About::Object { .. } | About::External) => false,
            None => !self.external && self.pod_label().is_some() && matches!(asked, Asked::Rate { .. }),
        };
        if by_pod {
            metric.request_rate = Some(Box::new(self.request_rate(asked)?));
        } else {
            self.total(&asked, expr, &mut metric)?;
        }
        Ok(self.finished(field, metric))
    }

    /// A rate by pod.
    fn request_rate(&self, asked: Asked) -> Result<RequestRateSource, String> {
        let Asked::Rate {
            series,
            window,
            extra,
        } = asked
        else {
            return Err(
                "a metric of each pod has to be sum by (pod) of the rate() of a counter here; for a total of the \
                 namespace use queueDepth or prometheus.query, and an Object metric's target"
                    .to_owned(),
            );
        };
        if window.subsec_nanos() != 0 || window.as_secs() > MAX_WINDOW {
            return Err("its window has to be whole seconds, at most 1h".to_owned());
        }
        let mut match_labels = self.match_labels(&extra).map_err(|extra| {
            let Extra { label, value, op } = extra;
            format!(
                "{label}{op}{value:?}: matchLabels of a metric by pod takes equality with other labels only"
            )
        })?;
        match_labels.extend(self.selected()?);
        Ok(RequestRateSource {
            counter: series,
            match_labels: some(match_labels),
            window: Some(duration::format(window)),
            target: PodsTarget {
                average_value: self.average_value(),
            },
        })
    }

    /// One number for the namespace, the object or the HPA's selector.
    fn total(&self, asked: &Asked, expr: Expr, metric: &mut Metric) -> Result<(), String> {
        let matchers = self.matchers()?;
        if let Asked::Gauge {
            series,
            max,
            by,
            extra,
        } = asked
        {
            let pinned = |label: &String| {
                self.namespace_label().as_ref() == Some(label) || matchers.iter().any(|(one, _)| one == label)
            };
            // The HPA adds up the series of an external metric; those of an object have to be one.
            let one = by.iter().all(pinned) || (self.external && !max);
            if let (true, Ok(mut match_labels)) = (one, self.match_labels(extra)) {
                match_labels.extend(matchers);
                metric.queue_depth = Some(Box::new(QueueDepthSource {
                    gauge: series.clone(),
                    match_labels: some(match_labels),
                    aggregation: Some(if *max { Aggregation::Max } else { Aggregation::Sum }),
                    target: self.target(),
                }));
                return Ok(());
            }
        }
        let query = self.query(asked, expr, &matchers)?;
        metric.prometheus = Some(Box::new(PrometheusSource {
            query,
            target: self.target(),
        }));
        Ok(())
    }

    fn query(&self, asked: &Asked, mut expr: Expr, matchers: &[(String, String)]) -> Result<String, String> {
        let namespace = self.namespace_label().unwrap_or_else(|| "namespace".to_owned());
        query::fill(&mut expr, matchers, &namespace);
        let text = if query::is_single(&expr, &namespace) {
            expr.to_string()
        } else if self.external || matches!(asked, Asked::Rate { .. }) {
            format!("sum({expr})")
        } else {
            return Err(
                "the query gives more than one series for a namespace; prometheus.query needs one".to_owned(),
            );
        };
        parser::parse(&text)
            .map_err(|error| format!("metricsQuery cannot be written as one query: {error}"))?;
        Ok(text)
    }

    /// What a request of the HPA puts into the query, besides the namespace.
    fn matchers(&self) -> Result<Vec<(String, String)>, String> {
        let Some(wanted) = self.wanted else {
            let of_objects = self.pod_label().is_some() || !self.rule.resources.others().is_empty();
            return if of_objects && !self.external {
                Err("which object it is read for stands in the HPA: give that with --hpa".to_owned())
            } else {
                Ok(Vec::new())
            };
        };
        let mut matchers: Vec<(String, String)> = self.selected()?.into_iter().collect();
        if let About::Object { group, kind, name } = &wanted.about
            && kind != "Namespace"
        {
            let label = self.rule.resources.label(group, &kind.to_ascii_lowercase());
            let label = label
                .ok_or_else(|| format!("resources names no label for the {kind} of HPA {}", wanted.hpa))?;
            matchers.push((label, name.clone()));
        }
        Ok(matchers)
    }

    /// The metric's selector in the HPA.
    fn selected(&self) -> Result<BTreeMap<String, String>, String> {
        let Some(wanted) = self.wanted else {
            return Ok(BTreeMap::new());
        };
        let hpa = &wanted.hpa;
        if wanted.has_expressions {
            return Err(format!(
                "the selector of HPA {hpa} has matchExpressions; matchLabels takes equality only"
            ));
        }
        let namespace = self.namespace_label().unwrap_or_else(|| "namespace".to_owned());
        if wanted.match_labels.contains_key(&namespace) {
            return Err(format!(
                "the selector of HPA {hpa} names a namespace; vas reads its own alone"
            ));
        }
        Ok(wanted.match_labels.clone())
    }

    /// Matchers as equality; those that only ask for the labels of an object to be there are left out.
    fn match_labels(&self, extra: &[Extra]) -> Result<BTreeMap<String, String>, Extra> {
        let mut labels = BTreeMap::new();
        for one in extra {
            let of_object = [self.namespace_label(), self.pod_label()].contains(&Some(one.label.clone()));
            let there = matches!((one.op, one.value.as_str()), ("!=", "") | ("=~", ".+"));
            if of_object && there {
                continue;
            }
            if one.op != "=" || of_object {
                return Err(one.clone());
            }
            labels.insert(one.label.clone(), one.value.clone());
        }
        Ok(labels)
    }

    fn namespace_label(&self) -> Option<String> {
        self.rule.resources.label("", "namespace")
    }

    fn pod_label(&self) -> Option<String> {
        self.rule.resources.label("", "pod")
    }

    fn average_value(&self) -> Quantity {
        let wanted = self.wanted.and_then(|wanted| wanted.average_value.clone());
        wanted.unwrap_or_else(|| Quantity(PLACEHOLDER.to_owned()))
    }

    fn target(&self) -> ObjectTarget {
        match self.wanted.and_then(|wanted| wanted.value.clone()) {
            Some(value) => ObjectTarget {
                value: Some(value),
                average_value: None,
            },
            None => ObjectTarget {
                value: None,
                average_value: Some(self.average_value()),
            },
        }
    }

    /// The entry with what is to be known about it.
    fn finished(&self, field: &str, metric: Metric) -> Entry {
        let mut comments = vec![format!("{field}: {} of {}", self.exposed, self.series)];
        let known = self
            .wanted
            .filter(|wanted| wanted.average_value.is_some() || wanted.value.is_some());
        comments.push(match (known, &metric.request_rate) {
            (Some(wanted), _) => format!("target of HPA {}", wanted.hpa),
            (None, Some(_)) => "fill in target.averageValue: how much one pod should carry".to_owned(),
            (None, None) => {
                "fill in target: averageValue is per pod, value in all; take the HPA's".to_owned()
            }
        });
        if self.external && self.wanted.is_none() {
            comments.push("add to it what the HPA's metric selector says (--hpa does)".to_owned());
        }
        Entry {
            comments,
            metric,
            has_target: known.is_some(),
        }
    }
}

fn some(labels: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    Some(labels).filter(|labels| !labels.is_empty())
}
