//! One rule and one series, with what an HPA asks of it, become an entry or a reason.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::Expr;

use super::{
    bound::{self, Reach},
    config::Rule,
    query::{self, Asked, Count, Extra, Gathered, Op, Selector},
    template::{self, Request},
    wanted::{About, Wanted},
};
use crate::{
    api::v1alpha1::{Aggregation, Metric, PodsTarget, PrometheusSource, QueueDepthSource, RequestRateSource},
    core::{duration, import::names, promql},
};

/// Longest window of a rate.
const MAX_WINDOW: u64 = 3600;

/// What one entry is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) rule: &'a Rule,
    pub(super) external: bool,
    pub(super) series: &'a str,
    pub(super) exposed: &'a str,
    pub(super) wanted: Option<&'a Wanted>,
}

/// An entry, and what is to be known about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Converted {
    pub(super) metric: Metric,
    pub(super) comments: Vec<String>,
}

/// What the HPA reads, with the labels that the rule has for it.
enum Subject {
    Pods {
        label: String,
    },
    /// An object other than a namespace.
    Object {
        label: String,
        name: String,
    },
    /// The namespace itself; its name where the HPA gives one.
    Namespace {
        name: Option<String>,
    },
    External,
}

impl Case<'_> {
    /// # Errors
    /// Why there is no entry, and what helps.
    pub(super) fn convert(&self) -> Result<Converted, String> {
        if !self.rule.label_value_replacements.is_empty() {
            return Err(
                "labelValueReplacements has no counterpart; label values are matched as they are".to_owned(),
            );
        }
        let subject = self.subject()?;
        let text = self.rendered(&subject)?;
        let expr = query::parse(&text, "metricsQuery")?;
        if self.external && self.rule.resources.namespaced == Some(false) {
            return Err(self.across_namespaces(expr));
        }
        let namespace_label = self.rule.resources.namespace().ok_or_else(|| {
            "its resources name no label for the namespace, without which prometheus-adapter answers no HPA: add \
             {resource: namespace} to resources.overrides"
                .to_owned()
        })?;
        let namespace = self.own_namespace(&subject);
        let selectors = query::selectors(&expr)?;
        let added = self.added(&subject, &namespace_label, namespace)?;
        let mut comments = Vec::new();
        let reach = Reach {
            label: &namespace_label,
            namespace,
        };
        reach.check_pins(&selectors)?;
        bound::check_contradictions(&selectors, &added)?;
        self.check_result(&expr, &subject, &namespace_label)?;
        let mut metric = Metric {
            name: names::metric_name(self.exposed),
            ..Metric::default()
        };
        match &subject {
            Subject::Pods { label } => {
                let marked = reach.all_bound(&selectors);
                if !marked && selectors.iter().any(|selector| selector.is_marked) {
                    return Err(self.unmarked(&selectors, &reach));
                }
                let mut labels = [label.clone(), namespace_label.clone()];
                labels.sort();
                let added = if marked { added } else { Vec::new() };
                metric.request_rate = Some(Box::new(self.request_rate(
                    &expr,
                    &labels,
                    label,
                    &reach,
                    added,
                    &mut comments,
                )?));
                if !marked {
                    comments.push(
                        "prometheus-adapter reads every namespace here and takes the pods by name; vas reads the \
                         namespace of the resource alone"
                            .to_owned(),
                    );
                }
            }
            Subject::Object { .. } | Subject::Namespace { .. } | Subject::External => {
                let needs_marker = matches!(subject, Subject::Object { .. });
                let is_bound = if needs_marker {
                    selectors.iter().all(|selector| selector.is_marked)
                } else {
                    reach.all_bound(&selectors)
                };
                if !is_bound {
                    return Err(self.unmarked(&selectors, &reach));
                }
                self.total(expr, &subject, &reach, &added, &mut metric, &mut comments)?;
            }
        }
        Ok(Converted { metric, comments })
    }

    /// What the metric describes. Without an HPA only what leaves no choice.
    fn subject(&self) -> Result<Subject, String> {
        let resources = &self.rule.resources;
        let no_label = |kind: &str| {
            format!(
                "its resources name no label for a {kind}, so prometheus-adapter has no such metric of a {kind} \
                 either"
            )
        };
        let about = self.wanted.map(|wanted| &wanted.about);
        match about {
            _ if self.external => Ok(Subject::External),
            None => match resources.pod() {
                Some(label) => Ok(Subject::Pods { label }),
                None if resources.has_objects() => {
                    Err("which object it is read for stands in the HPA: give that with --hpa".to_owned())
                }
                None => Ok(Subject::Namespace { name: None }),
            },
            Some(About::Pods) => {
                let label = resources.pod().ok_or_else(|| no_label("pod"))?;
                Ok(Subject::Pods { label })
            }
            Some(About::Object { kind, name, .. }) if kind == "Namespace" => {
                let own = self.wanted.and_then(|wanted| wanted.namespace.as_ref());
                if own.is_some_and(|own| own != name) {
                    return Err(format!(
                        "the HPA reads it of namespace {name}; vas binds every query to the namespace of the resource"
                    ));
                }
                Ok(Subject::Namespace {
                    name: Some(name.clone()),
                })
            }
            Some(About::Object { group, kind, name }) => {
                let label = resources
                    .label(group, &kind.to_ascii_lowercase())
                    .ok_or_else(|| no_label(kind))?;
                Ok(Subject::Object {
                    label,
                    name: name.clone(),
                })
            }
            Some(About::External) => Ok(Subject::External),
        }
    }

    /// The query of one request, the matchers a marker.
    fn rendered(&self, subject: &Subject) -> Result<String, String> {
        let namespace_label = self.rule.resources.namespace();
        let group_by = match subject {
            Subject::Pods { label } | Subject::Object { label, .. } => label.as_str(),
            Subject::Namespace { .. } => namespace_label.as_deref().unwrap_or_default(),
            Subject::External => "",
        };
        let value = |label: &str| {
            if Some(label) == namespace_label.as_deref() {
                return self.own_namespace(subject).map(str::to_owned);
            }
            if let Subject::Object { label: own, name } = subject
                && own == label
            {
                return Some(name.clone());
            }
            let selected = self.wanted?.selected.as_ref().ok()?;
            let mut values = selected
                .iter()
                .filter(|one| one.label == label && one.op == Op::Equal);
            values.next().map(|one| one.value.clone())
        };
        template::render(
            &self.rule.metrics_query,
            Request {
                series: self.series,
                group_by,
                value: &value,
            },
        )
    }

    /// The namespace of the HPA, where something says it.
    fn own_namespace<'a>(&'a self, subject: &'a Subject) -> Option<&'a str> {
        let stated = self.wanted.and_then(|wanted| wanted.namespace.as_deref());
        match subject {
            Subject::Namespace { name: Some(name) } => stated.or(Some(name)),
            _ => stated,
        }
    }

    /// What a request puts into the query, besides the namespace, which vas puts in itself.
    fn added(&self, subject: &Subject, label: &str, namespace: Option<&str>) -> Result<Vec<Extra>, String> {
        let mut added = match self.wanted.map(|wanted| &wanted.selected) {
            None => Vec::new(),
            Some(Ok(selected)) => selected.clone(),
            Some(Err(why)) => return Err(format!("{why}, which prometheus-adapter refuses too")),
        };
        if let Some(other) = added
            .iter()
            .find(|one| one.label.parse::<promql::LabelName>().is_err())
        {
            return Err(format!(
                "the selector of the HPA names {}, which is no label of Prometheus",
                other.label
            ));
        }
        let own = |one: &Extra| one.label == label;
        for one in added.iter().filter(|one| own(one)) {
            let reads_own =
                one.is_presence() || namespace.is_some_and(|namespace| one.passes(namespace) == Ok(true));
            if !reads_own {
                return Err(format!(
                    "the selector of the HPA says {one}; prometheus-adapter reads the namespace of the HPA besides, so \
                     it finds nothing, and vas reads the namespace of the resource alone"
                ));
            }
        }
        added.retain(|one| !own(one));
        if let Subject::Object { label, name } = subject {
            added.push(Extra::new(label, Op::Equal, name));
        }
        Ok(added)
    }

    /// prometheus-adapter looks for the object's name in a label of the result.
    fn check_result(&self, expr: &Expr, subject: &Subject, namespace_label: &str) -> Result<(), String> {
        let label = match subject {
            Subject::Pods { label } | Subject::Object { label, .. } => label,
            Subject::Namespace { .. } => namespace_label,
            Subject::External => return Ok(()),
        };
        if !query::lacks(expr, label) {
            return Ok(());
        }
        Err(format!(
            "no series of its result carries the label {label}, by which prometheus-adapter finds the object, so the \
             metric has no value there: write by (<<.GroupBy>>) if a value for each object is meant"
        ))
    }

    /// A rate by pod.
    fn request_rate(
        &self,
        expr: &Expr,
        labels: &[String],
        pod: &String,
        reach: &Reach<'_>,
        added: Vec<Extra>,
        comments: &mut Vec<String>,
    ) -> Result<RequestRateSource, String> {
        let Asked::Rate {
            series,
            window,
            by,
            extra,
        } = query::asked(expr)
        else {
            return Err(
                "a metric of each pod has to be sum by (pod) of the rate() of a counter here; for a total of the \
                 namespace use queueDepth or prometheus.query, and an Object metric's target"
                    .to_owned(),
            );
        };
        match by {
            Some(by) if by.contains(pod) && by.iter().all(|label| labels.contains(label)) => {}
            Some(by) => {
                return Err(format!(
                    "it sums by ({}), which gives several series for a pod, of which prometheus-adapter takes any",
                    by.join(", ")
                ));
            }
            None => comments.push(
                "the query does not sum; if a pod has several series, prometheus-adapter takes any one and vas their sum"
                    .to_owned(),
            ),
        }
        if window.subsec_nanos() != 0 || window.as_secs() > MAX_WINDOW {
            return Err("its window has to be whole seconds, at most 1h".to_owned());
        }
        let mut own = reach.beyond(&extra);
        own.retain(|one| !(one.label == *pod && one.is_presence()));
        own.extend(added);
        let match_labels = equalities(&own).map_err(|one| {
            format!("{one}: matchLabels of a metric by pod takes equality with other labels only")
        })?;
        Ok(RequestRateSource {
            counter: series,
            match_labels: some(match_labels),
            window: Some(duration::format(window)),
            target: PodsTarget {
                average_value: super::target::average(self.wanted),
            },
        })
    }

    /// One number for the namespace, the object or the HPA's selector.
    fn total(
        &self,
        mut expr: Expr,
        subject: &Subject,
        reach: &Reach<'_>,
        added: &[Extra],
        metric: &mut Metric,
        comments: &mut Vec<String>,
    ) -> Result<(), String> {
        let is_marked = query::selectors(&expr)?.iter().any(|selector| selector.is_marked);
        let added = if is_marked { added } else { &[] };
        let mut pinned: BTreeSet<String> = BTreeSet::from([reach.label.to_owned()]);
        pinned.extend(
            added
                .iter()
                .filter(|one| one.op == Op::Equal)
                .map(|one| one.label.clone()),
        );
        let is_external = matches!(subject, Subject::External);
        if let Asked::Gauge {
            series,
            gathered,
            by,
            extra,
        } = query::asked(&expr)
        {
            let mut own = reach.beyond(&extra);
            if let Subject::Object { label, .. } = subject {
                own.retain(|one| !(one.label == *label && one.is_presence()));
            }
            own.extend(added.iter().cloned());
            // The HPA adds up the series of an external metric; those of an object have to be one.
            let is_one =
                by.iter().all(|label| pinned.contains(label)) || (is_external && gathered == Gathered::Sum);
            if let (true, Ok(match_labels)) = (is_one, equalities(&own)) {
                metric.queue_depth = Some(Box::new(QueueDepthSource {
                    gauge: series,
                    match_labels: some(match_labels),
                    aggregation: Some(match gathered {
                        Gathered::Sum => Aggregation::Sum,
                        Gathered::Max => Aggregation::Max,
                    }),
                    target: super::target::object(self.wanted),
                }));
                return Ok(());
            }
        }
        let divides = bound::divides(&expr);
        query::fill(&mut expr, added)?;
        let text = match query::count(&expr, &pinned) {
            Count::One(_) => expr.to_string(),
            _ if is_external => format!("sum({expr})"),
            Count::Many => {
                return Err(
                    "the query gives more than one series for the object, of which prometheus-adapter takes any; \
                     prometheus.query needs one: sum() them, or name the one that is meant"
                        .to_owned(),
                );
            }
            Count::Unknown => {
                comments.push(
                    "the query has to give one series: of several, prometheus-adapter takes any and vas none; put sum() or \
                     max() around it if there are several"
                        .to_owned(),
                );
                expr.to_string()
            }
        };
        promql::check_query(&text)
            .map_err(|error| format!("metricsQuery cannot be written as one query: {error}"))?;
        if divides && !is_external {
            comments.push(
                "prometheus-adapter reads 0/0 as 0, vas as no value; x / (y > 0) with onMissing: Zero is 0 when idle"
                    .to_owned(),
            );
        }
        metric.prometheus = Some(Box::new(PrometheusSource {
            query: text,
            target: super::target::object(self.wanted),
        }));
        Ok(())
    }

    /// Why a query with a selector outside of the request's namespace has no entry.
    fn unmarked(&self, selectors: &[Selector], reach: &Reach<'_>) -> String {
        let open = selectors
            .iter()
            .find(|selector| !selector.is_marked && !reach.is_pinned(selector));
        let shown = open.map_or("a selector", |selector| selector.shown.as_str());
        format!(
            "{shown} is without <<.LabelMatchers>>, so prometheus-adapter reads every namespace and ignores the HPA's \
             selector there; vas binds each selector to the namespace of the resource. If that is what you mean, write \
             <<.LabelMatchers>> into it; if not, {UNBOUND}"
        )
    }

    /// Why an External metric of all namespaces has no entry.
    fn across_namespaces(&self, mut expr: Expr) -> String {
        let selected = self
            .wanted
            .and_then(|wanted| wanted.selected.clone().ok())
            .unwrap_or_default();
        let text = match query::fill(&mut expr, &selected) {
            Ok(()) => format!("; the query is sum({expr})"),
            Err(_) => String::new(),
        };
        format!(
            "namespaced: false reads across namespaces, and vas binds every query to the namespace of the resource: {UNBOUND}{text}"
        )
    }
}

/// The way out for queries of several namespaces.
const UNBOUND: &str = "give this Prometheus an entry with queryNamespaceMatcher: false in the --config of vas metrics-server, \
                       and use prometheus.query with that prometheusServer";

/// Matchers as `matchLabels`; the first that is none otherwise.
fn equalities(extra: &[Extra]) -> Result<BTreeMap<String, String>, Extra> {
    let mut labels = BTreeMap::new();
    for one in extra {
        if one.op != Op::Equal || one.value.is_empty() {
            let implied = extra.iter().any(|other| {
                other.op == Op::Equal && other.label == one.label && one.passes(&other.value) == Ok(true)
            });
            if implied && one.op != Op::Equal {
                continue;
            }
            return Err(one.clone());
        }
        labels.insert(one.label.clone(), one.value.clone());
    }
    Ok(labels)
}

fn some(labels: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    Some(labels).filter(|labels| !labels.is_empty())
}
