//! Converts one trigger into one metric.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{object::Trigger, server::Servers};
use crate::{
    names,
    query::{self, Asked, Count, Gathered, Op},
};
use vas_api::v1alpha1::{
    Aggregation, ContainerResourceSource, Metric, ObjectTarget, OnMissing, PrometheusSource,
    QueueDepthSource, ResourceName, ResourceSource, ResourceTarget,
};

/// Fields of a Prometheus trigger that change what it reads, and why they are refused.
const OTHER_READS: [(&str, &str); 2] = [
    (
        "namespace",
        "it is a parameter of the request, which vas does not send",
    ),
    ("queryParameters", "vas sends no parameters of the author's own"),
];
/// Fields of a Prometheus trigger about the connection. The metrics server has its own settings for that.
const CONNECTION: [&str; 4] = ["authModes", "customHeaders", "cortexOrgID", "unsafeSsl"];

/// The result of converting a trigger.
#[derive(Debug, Default)]
pub(super) struct Converted {
    /// The metric. Its name may not be unique yet.
    pub(super) metric: Metric,
    pub(super) comments: Vec<String>,
    /// Fields without a counterpart, and why. The metric is right without them.
    pub(super) left: Vec<(&'static str, String)>,
}

/// Converts a trigger.
///
/// # Errors
/// If the trigger has no counterpart; the text says why.
pub(super) fn convert(
    trigger: &Trigger,
    namespace: Option<&str>,
    namespace_label: &str,
    servers: &Servers,
) -> Result<Converted, String> {
    match trigger.type_.as_str() {
        "cpu" => resource(trigger, ResourceName::Cpu),
        "memory" => resource(trigger, ResourceName::Memory),
        "prometheus" => prometheus(trigger, namespace, namespace_label, servers),
        "cron" => Err(
            "vas has no such metric: write an entry of schedules, whose minReplicas is the trigger's desiredReplicas"
                .to_owned(),
        ),
        other => Err(format!(
            "a trigger of type {other} asks its source itself, and vas asks Prometheus: let an exporter of it be scraped, \
             and write queueDepth or prometheus"
        )),
    }
}

fn resource(trigger: &Trigger, name: ResourceName) -> Result<Converted, String> {
    let value = trigger.text("value").ok_or("its metadata has no value")?;
    // Before KEDA 2.11 the type was a field of the metadata.
    let type_ = trigger.metric_type.as_deref().or_else(|| trigger.text("type"));
    let target = match type_ {
        None | Some("Utilization") => {
            let percent = value
                .parse()
                .map_err(|_| format!("its value {value:?} is not a whole percentage"))?;
            ResourceTarget {
                average_utilization: Some(percent),
                average_value: None,
            }
        }
        Some("AverageValue") => ResourceTarget {
            average_utilization: None,
            average_value: Some(Quantity(value.to_owned())),
        },
        Some(other) => return Err(format!("its metricType {other} is none that a resource has")),
    };
    let word = trigger.type_.clone();
    let metric = match trigger.text("containerName") {
        Some(container) => Metric {
            name: format!("{container}-{word}"),
            container_resource: Some(Box::new(ContainerResourceSource {
                name,
                container: container.to_owned(),
                target,
            })),
            ..Metric::default()
        },
        None => Metric {
            name: word,
            resource: Some(Box::new(ResourceSource { name, target })),
            ..Metric::default()
        },
    };
    Ok(Converted {
        metric,
        ..Converted::default()
    })
}

fn prometheus(
    trigger: &Trigger,
    namespace: Option<&str>,
    namespace_label: &str,
    servers: &Servers,
) -> Result<Converted, String> {
    let text = trigger.text("query").ok_or("its metadata has no query")?;
    if let Some((field, why)) = OTHER_READS
        .iter()
        .find(|(field, _)| trigger.text(field).is_some())
    {
        return Err(format!("metadata.{field}: {why}"));
    }
    let threshold = trigger.text("threshold").ok_or("its metadata has no threshold")?;
    let threshold = Quantity(threshold.to_owned());
    let target = match trigger.metric_type.as_deref() {
        None | Some("" | "AverageValue") => ObjectTarget {
            value: None,
            average_value: Some(threshold),
        },
        Some("Value") => ObjectTarget {
            value: Some(threshold),
            average_value: None,
        },
        Some(other) => return Err(format!("its metricType {other} is none that a query has")),
    };
    let mut converted = Converted::default();
    source(text, target, namespace, namespace_label, &mut converted)?;
    let name = trigger
        .name
        .as_deref()
        .or_else(|| trigger.text("metricName"))
        .filter(|name| !name.is_empty());
    converted.metric.name = names::metric_name(name.unwrap_or("prometheus"));
    converted.metric.prometheus_server = trigger
        .text("serverAddress")
        .and_then(|address| servers.name(address));
    if trigger.text("ignoreNullValues") == Some("false") {
        converted.metric.on_missing = Some(OnMissing::Hold);
    } else {
        converted.metric.on_missing = Some(OnMissing::Zero);
        converted.comments.push(
            "onMissing: Zero as ignoreNullValues: true, KEDA's default, has it: no series is 0, here once Prometheus has \
             answered so for as long as maxAge; Hold is safer where lost series do not mean zero"
                .to_owned(),
        );
    }
    if let Some(activation) = trigger
        .text("activationThreshold")
        .filter(|text| text.parse() != Ok(0.0))
    {
        let why = format!("KEDA leaves zero replicas above {activation}, vas above 0");
        converted.left.push(("activationThreshold", why));
    }
    let connection = CONNECTION
        .iter()
        .any(|field| trigger.text(field).is_some_and(|text| text != "false"));
    if connection || trigger.authentication_ref.is_some() {
        converted.comments.push(
            "headers, certificates and authentication belong to the server's entry in the --config of vas metrics-server"
                .to_owned(),
        );
    }
    Ok(converted)
}

/// Sets the source: a `queueDepth` if the query is a gauge, else the query as it is.
fn source(
    text: &str,
    target: ObjectTarget,
    namespace: Option<&str>,
    label: &str,
    converted: &mut Converted,
) -> Result<(), String> {
    let expr = query::parse(text, "query")?;
    let namespace = namespace.ok_or(
        "the ScaledObject does not say its metadata.namespace, so it cannot be told whether the query stays in it",
    )?;
    let selectors = query::selectors(&expr)?;
    for selector in &selectors {
        let pins = selector
            .extra
            .iter()
            .filter(|one| one.label == label && one.op == Op::Equal);
        let pins: BTreeSet<&str> = pins.map(|one| one.value.as_str()).collect();
        // Two different namespaces in one selector match nothing, so that is refused too.
        if !pins.contains(namespace) || pins.len() > 1 {
            return Err(format!(
                "{} reads more than namespace {namespace}, or another one, and vas binds every selector to the namespace \
                 of the resource: write {label}={namespace:?} into it if that is meant (--namespace-label names another \
                 label), or give this Prometheus an entry with queryNamespaceMatcher: false in the --config of vas \
                 metrics-server and use prometheus.query with that prometheusServer",
                selector.shown
            ));
        }
    }
    let pinned = BTreeSet::from([label.to_owned()]);
    if let Asked::Gauge {
        series,
        gathered,
        by,
        extra,
    } = query::asked(&expr)
        && by.is_some_and(|by| by.iter().all(|one| one == label))
    {
        let own: Vec<_> = extra.iter().filter(|one| one.label != label).cloned().collect();
        if let Ok(match_labels) = query::equalities(&own) {
            converted.metric.queue_depth = Some(Box::new(QueueDepthSource {
                gauge: series,
                match_labels,
                aggregation: Some(match gathered {
                    Gathered::Sum => Aggregation::Sum,
                    Gathered::Max => Aggregation::Max,
                }),
                target,
            }));
            return Ok(());
        }
    }
    if query::count(&expr, &pinned) == Count::Many {
        return Err(
            "the query gives several series, which KEDA refuses too: sum() them, or name the one meant"
                .to_owned(),
        );
    }
    if query::count(&expr, &pinned) == Count::Unknown {
        converted
            .comments
            .push("the query has to give one series, as in KEDA".to_owned());
    }
    // Rendered only for its advice: the entry keeps the text that the author wrote.
    let mut canonical = expr;
    query::fill(&mut canonical, &[])?;
    let (_, advice) = query::render(&canonical)?;
    converted.comments.extend(advice);
    converted.metric.prometheus = Some(Box::new(PrometheusSource {
        query: text.trim().to_owned(),
        target,
    }));
    Ok(())
}
