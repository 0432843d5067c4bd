//! Which question is behind a metric, and which distinct ones there are: each is asked once, whatever the number of
//! resources behind it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Labels, Shape, ShapeError,
    shape::{shape, shape_unbound},
};
use crate::core::model::PrometheusMetric;

/// What planning must know of one Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The labels of its series.
    pub labels: Labels,
    /// Whether an author's own query is bound to the namespace of the resource. Where it is not, whoever may write
    /// a resource may read every series of this Prometheus.
    pub bind_queries: bool,
}

/// Every Prometheus by the name that resources call it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<String, Source>);

/// Each question with the namespaces whose resources ask it.
pub type Plan = BTreeMap<Arc<Shape>, BTreeSet<String>>;

impl FromIterator<(String, Source)> for Sources {
    fn from_iter<T: IntoIterator<Item = (String, Source)>>(sources: T) -> Self {
        Self(sources.into_iter().collect())
    }
}

impl Sources {
    /// The question behind one metric of a resource in `namespace`.
    ///
    /// # Errors
    /// See [`ShapeError`].
    pub fn shape(&self, namespace: &str, metric: &PrometheusMetric) -> Result<Shape, ShapeError> {
        match self.0.get(&metric.server) {
            Some(source) if source.bind_queries => shape(&source.labels, namespace, metric),
            Some(source) => shape_unbound(&source.labels, metric),
            None => Err(ShapeError::UnknownServer {
                server: metric.server.clone(),
                known: self.0.keys().cloned().collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
