//! What Prometheus has for the metrics of the resources: where to ask, what to ask, and what it means.

mod address;
pub(in crate::diagnose::doctor) mod checks;
mod questions;

use std::collections::BTreeSet;

pub use address::{Address, AddressError, ServiceAddress};
pub use questions::{
    CLUSTER_LABELS, RESETS_WINDOW, Selected, by_cluster, by_label, count, per_series_resets, reachable,
    sample,
};

use crate::{api::v1alpha1::OnMissing, core::spec::model::Series, diagnose::doctor::observed::Read};

/// What one Prometheus said.
#[derive(Clone, Debug)]
pub struct PrometheusSeen {
    /// Its name, where several are configured.
    pub name: Option<String>,
    /// How it was asked, for people.
    pub how: String,
    /// Whether it answers a query.
    pub reachable: Result<(), String>,
    /// Name of the label that carries the namespace.
    pub namespace_label: String,
    /// Name of the label that carries the pod.
    pub pod_label: String,
    /// One entry for each metric of each workload that is read from it.
    pub series: Vec<SeriesSeen>,
}

/// What it has for one metric.
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
    /// What the metric is made of.
    pub series: Series,
    /// What no data means.
    pub on_missing: OnMissing,
    /// What was found.
    pub facts: Read<Facts>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Facts {
    /// Of a counter or a gauge.
    Selected(SelectedFacts),
    /// Of an author's own query: how many series it gave.
    Query(usize),
}

/// What was found of a counter or a gauge. Each count is of what the one before it left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectedFacts {
    /// Series of that name.
    pub all: u64,
    /// Of these, with the `matchLabels`.
    pub matched: u64,
    /// Those of `matchLabels` that match nothing by themselves, as `label=value`.
    pub empty_matchers: Vec<String>,
    /// Label names of one series.
    pub labels: BTreeSet<String>,
    /// Of the matched, in the namespace of the resource.
    pub in_namespace: u64,
    /// Some namespaces that have series.
    pub namespaces: Vec<String>,
    /// Values of the pod label, for a counter; empty text where it is missing.
    pub pods: BTreeSet<String>,
    /// The server's own matchers, where they leave none of all.
    pub foreign_to: Option<String>,
    /// A label that tells clusters apart, with its values, where the namespace's series come from several.
    pub clusters: Option<(String, BTreeSet<String>)>,
    /// How often a series of a counter fell within [`RESETS_WINDOW`], on average.
    pub resets: Option<f64>,
}

impl PrometheusSeen {
    /// `Prometheus`, and its name if it has one.
    fn object(&self) -> String {
        match &self.name {
            Some(name) => format!("Prometheus {name}"),
            None => "Prometheus".to_owned(),
        }
    }
}

impl SeriesSeen {
    /// `VoiceAssistScaling namespace/name`.
    fn object(&self) -> String {
        format!("VoiceAssistScaling {}/{}", self.namespace, self.scaling)
    }

    /// `workload/metric`.
    fn place(&self) -> String {
        format!("{}/{}", self.workload, self.metric)
    }
}
