//! Finds the shape behind each metric. Each distinct shape is queried once, whatever the number of resources
//! that need it.
//!
//! The path of a metric: its `prometheusServer` selects a [`Source`], the labels of that source and the
//! namespace of the resource go into [`Sources::shape`], equal shapes become one key of a [`Plan`], and the
//! poller sends the queries of each key. An example: 40 resources in 10 namespaces, each with the same
//! request rate on the same server, are one key with 10 namespaces.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Labels, Reach, Shape, ShapeError, shape::shape_within};
use crate::spec::model::PrometheusMetric;

/// The properties of one Prometheus server that its queries depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The labels of its series.
    pub labels: Labels,
    /// Whether an author's own query is bound to the namespace of the resource. Where it is not bound,
    /// everybody who may write a resource may read every series of this Prometheus.
    pub bind_queries: bool,
}

/// Every configured Prometheus by the name that resources use for it, and the limits of an author's own
/// query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    named: BTreeMap<String, Source>,
    reach: Reach,
}

/// Each distinct shape with the namespaces whose resources need it.
pub type Plan = BTreeMap<Arc<Shape>, BTreeSet<String>>;

impl FromIterator<(String, Source)> for Sources {
    fn from_iter<T: IntoIterator<Item = (String, Source)>>(sources: T) -> Self {
        Self {
            named: sources.into_iter().collect(),
            reach: Reach::DEFAULT,
        }
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self::from_iter([])
    }
}

impl Sources {
    /// The same servers with other limits for an author's own query.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The shape behind one metric of a resource in `namespace`.
    ///
    /// # Errors
    /// See [`ShapeError`].
    pub fn shape(&self, namespace: &str, metric: &PrometheusMetric) -> Result<Shape, ShapeError> {
        let Some(source) = self.named.get(&metric.server) else {
            return Err(ShapeError::UnknownServer {
                server: metric.server.clone(),
                known: self.named.keys().cloned().collect(),
            });
        };
        shape_within(&source.labels, namespace, source.bind_queries, metric, self.reach)
    }
}

#[cfg(test)]
mod tests;
