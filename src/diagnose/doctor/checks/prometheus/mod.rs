//! The series in Prometheus for the metrics of the resources: the address, the queries, and the judgement of
//! the answers.

mod address;
pub(in crate::doctor) mod checks;
mod questions;

use std::collections::BTreeSet;

pub use address::{Address, AddressError, ServiceAddress};
pub use questions::{
    CLUSTER_LABELS, RESETS_WINDOW, Selected, by_cluster, by_label, by_name, count, peak_rate_per_pod,
    per_series_resets, rate_per_pod, reachable, sample,
};
use vas_api::v1alpha1::OnMissing;
use vas_core::{k8s::read::Read, spec::model::Series};

/// The answers of one Prometheus.
#[derive(Clone, Debug)]
pub struct PrometheusSeen {
    /// Name of the server; `None` if only one is configured.
    pub name: Option<String>,
    /// How the server was reached, for messages.
    pub how: String,
    /// Whether the server answers a query, or why not.
    pub reachable: Result<(), String>,
    /// Name of the label that holds the namespace.
    pub namespace_label: String,
    /// Name of the label that holds the pod.
    pub pod_label: String,
    /// One entry for each metric of each workload that is read from this server.
    pub series: Vec<SeriesSeen>,
}

/// The series for one metric.
#[derive(Clone, Debug)]
pub struct SeriesSeen {
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub scaling: String,
    /// Name of the workload.
    pub workload: String,
    /// Name of the metric.
    pub metric: String,
    /// The counter, gauge or query that the metric reads.
    pub series: Series,
    /// What the metric does if there is no data.
    pub on_missing: OnMissing,
    /// What was found in Prometheus.
    pub facts: Read<Facts>,
}

/// What was found in Prometheus for one metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// The series of a counter or a gauge.
    Selected(SelectedFacts),
    /// The number of series in the result of a query that the author wrote.
    Query(usize),
}

/// The series of a counter or a gauge. Each count is taken among the series that the count before it left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectedFacts {
    /// Number of series with the name.
    pub all: u64,
    /// Number of these that match `matchLabels` and `matchExpressions`.
    pub matched: u64,
    /// The conditions that match nothing even alone, as `label=value`.
    pub empty_matchers: Vec<String>,
    /// Names of the labels of one series.
    pub labels: BTreeSet<String>,
    /// Number of the matched series in the namespace of the resource.
    pub in_namespace: u64,
    /// Some namespaces that have matched series, if the right namespace has none.
    pub namespaces: Vec<String>,
    /// Values of the pod label, for a counter. An empty text stands for series without the label.
    pub pods: BTreeSet<String>,
    /// The matchers of the server, if no series passes them.
    pub foreign_to: Option<String>,
    /// The label that tells clusters apart, with its values, if the series come from several clusters.
    pub clusters: Option<(String, BTreeSet<String>)>,
    /// Number of times that a series of a counter fell within [`RESETS_WINDOW`], on average.
    pub resets: Option<f64>,
}

impl PrometheusSeen {
    /// The server for messages: `Prometheus`, or `Prometheus` and its name.
    fn object(&self) -> String {
        match &self.name {
            Some(name) => format!("Prometheus {name}"),
            None => "Prometheus".to_owned(),
        }
    }
}

impl SeriesSeen {
    /// The resource for messages: `VoiceAssistScaling namespace/name`.
    fn object(&self) -> String {
        format!("VoiceAssistScaling {}/{}", self.namespace, self.scaling)
    }

    /// The metric for messages: `workload/metric`.
    fn place(&self) -> String {
        format!("{}/{}", self.workload, self.metric)
    }
}
