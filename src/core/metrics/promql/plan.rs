//! Which question is behind a metric, and which distinct ones there are: each is asked once, whatever the number of
//! resources behind it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Labels, Reach, Shape, ShapeError, shape::shape_within};
use crate::core::spec::model::PrometheusMetric;

/// What planning must know of one Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The labels of its series.
    pub labels: Labels,
    /// Whether an author's own query is bound to the namespace of the resource. Where it is not, whoever may write
    /// a resource may read every series of this Prometheus.
    pub bind_queries: bool,
}

/// Every Prometheus by the name that resources call it, and how much an author's own query may make one evaluate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    named: BTreeMap<String, Source>,
    reach: Reach,
}

/// Each question with the namespaces whose resources ask it.
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
    /// The same servers, asked for no more than this.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The question behind one metric of a resource in `namespace`.
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
