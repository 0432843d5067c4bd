//! The exporters of the series behind the one number of a namespace.
//!
//! A gauge of a namespace is queried by pod and instance and aggregated here, because a number that lacks one
//! of its exporters looks like any other number. An exporter is identified by its pod, whatever its ports and
//! addresses. Where series have no pod label, the instance identifies it. An example: series of pod `web-1`
//! at `10.0.0.1:80` and at `10.0.0.1:81`, and one at `db:9100` without a pod, come from two exporters.

use std::collections::{BTreeMap, BTreeSet};

use super::{ByName, Grouping, Labels, Shape, labels::INSTANCE};

/// Greatest number of exporters that are kept of a namespace.
const KEPT: usize = 1000;

/// Greatest length of the names of all these exporters together, in bytes: 40 for each of 800.
const NAMES: usize = 32 * 1024;

/// Greatest length of a name, which is that of a pod's name. A longer value counts as no name.
const LONGEST_NAME: usize = 253;

/// The source of series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exporter<N = Box<str>> {
    /// The pod that the series name.
    Pod(N),
    /// The instance that the series name, where they name no pod. It is empty where they name no instance
    /// either.
    Instance(N),
}

impl<'a> Exporter<&'a str> {
    fn of(labels: &'a ByName<Box<str>>, names: &Labels) -> Self {
        let label = |name: &str| {
            let value = labels.get(name).map(|value| &**value);
            value.filter(|value| !value.is_empty() && value.len() <= LONGEST_NAME)
        };
        match label(names.pod.as_str()) {
            Some(pod) => Self::Pod(pod),
            None => Self::Instance(label(INSTANCE).unwrap_or_default()),
        }
    }

    fn into_owned(self) -> Exporter {
        match self {
            Self::Pod(name) => Exporter::Pod(name.into()),
            Self::Instance(name) => Exporter::Instance(name.into()),
        }
    }
}

impl<N: AsRef<str>> Exporter<N> {
    /// Name of the pod, or the instance.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pod(name) | Self::Instance(name) => name.as_ref(),
        }
    }
}

/// Counts the exporters that are kept of one namespace. A bound is needed because scrape targets choose how
/// many exporters there are and their names, and each gauge of the namespace remembers them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    exporters: usize,
    bytes: usize,
}

impl Room {
    /// Counts one more exporter. False if it is beyond the bound.
    pub fn takes(&mut self, name: &str) -> bool {
        self.exporters = self.exporters.saturating_add(1);
        self.bytes = self.bytes.saturating_add(name.len());
        self.exporters <= KEPT && self.bytes <= NAMES
    }
}

/// The exporters behind the number of a namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exporters {
    /// The first exporters by name, sorted: as many as a [`Room`] takes.
    known: Box<[Exporter]>,
    /// Whether there are more exporters, which would follow in that order.
    is_cut: bool,
}

impl Exporters {
    /// The exporters by namespace, from the labels of an answer's series. The map is empty where the shape
    /// does not join the series of several exporters.
    pub(super) fn by_namespace<'a>(
        shape: &Shape,
        series: impl Iterator<Item = &'a ByName<Box<str>>>,
    ) -> BTreeMap<String, Self> {
        if shape.grouping != Grouping::Namespace {
            return BTreeMap::new();
        }
        // Names are borrowed from the answer until they are sorted, and only those that are kept are copied.
        let mut namespaces: BTreeMap<&str, BTreeSet<Exporter<&str>>> = BTreeMap::new();
        for labels in series {
            if let Some(namespace) = labels.get(shape.labels.namespace.as_str()) {
                let exporters = namespaces.entry(&**namespace).or_default();
                exporters.insert(Exporter::of(labels, &shape.labels));
            }
        }
        let exporters = |all: BTreeSet<Exporter<&str>>| {
            let (number, mut room) = (all.len(), Room::default());
            let first = all.into_iter().take_while(|exporter| room.takes(exporter.name()));
            let known: Box<[Exporter]> = first.map(Exporter::into_owned).collect();
            Self {
                is_cut: known.len() < number,
                known,
            }
        };
        let namespaces = namespaces.into_iter();
        namespaces
            .map(|(namespace, all)| (namespace.to_owned(), exporters(all)))
            .collect()
    }

    /// Whether an exporter is certainly not among them.
    #[must_use]
    pub fn lack(&self, exporter: &Exporter) -> bool {
        // Nobody knows who follows the last one of a list that was cut.
        let is_beyond = self.is_cut && self.known.last().is_none_or(|last| last < exporter);
        !is_beyond && self.known.binary_search(exporter).is_err()
    }
}

impl IntoIterator for Exporters {
    type Item = Exporter;
    type IntoIter = std::vec::IntoIter<Exporter>;

    fn into_iter(self) -> Self::IntoIter {
        self.known.into_vec().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{metrics::promql::Matchers, spec::model::Series};
    use vas_api::v1alpha1::Aggregation;

    fn shape() -> Shape {
        Shape {
            server: "default".to_owned(),
            grouping: Grouping::Namespace,
            value: String::new(),
            age: None,
            window: None,
            labels: Labels {
                namespace: "namespace".parse().unwrap(),
                pod: "pod".parse().unwrap(),
                matchers: Matchers::default(),
            },
            series: Series::Gauge {
                gauge: "depth".to_owned(),
                match_labels: BTreeMap::new(),
                aggregation: Aggregation::Sum,
            },
        }
    }

    fn exporters(series: &[&[(&str, &str)]]) -> BTreeMap<String, Exporters> {
        let labels = |labels: &&[(&str, &str)]| {
            let labels = labels.iter().map(|(name, value)| (*name, Box::from(*value)));
            labels.collect::<ByName<Box<str>>>()
        };
        let labels: Vec<_> = series.iter().map(labels).collect();
        Exporters::by_namespace(&shape(), labels.iter())
    }

    #[test]
    fn the_pod_tells_exporters_apart_and_else_the_instance() {
        let long = "x".repeat(LONGEST_NAME + 1);
        let found = exporters(&[
            &[("namespace", "a"), ("pod", "p"), ("instance", "10.0.0.1:80")],
            &[("namespace", "a"), ("pod", "p"), ("instance", "10.0.0.1:81")],
            &[("namespace", "a"), ("pod", ""), ("instance", "db:9100")],
            &[("namespace", "a"), ("instance", &long)],
            &[("namespace", "b")],
            &[("pod", "of no namespace")],
        ]);
        let of = |namespace: &str| found[namespace].clone().into_iter().collect::<Vec<_>>();
        assert_eq!(found.len(), 2);
        assert_eq!(
            of("a"),
            [
                Exporter::Pod("p".into()),
                Exporter::Instance("".into()),
                Exporter::Instance("db:9100".into())
            ]
        );
        assert_eq!(of("b"), [Exporter::Instance("".into())]);
    }

    /// The exporters of one namespace in which each of these pods has a series.
    fn of_pods(names: &[String]) -> Exporters {
        let series: Vec<[(&str, &str); 2]> = names
            .iter()
            .map(|name| [("namespace", "a"), ("pod", name.as_str())])
            .collect();
        let series: Vec<&[(&str, &str)]> = series.iter().map(|series| &series[..]).collect();
        exporters(&series).remove("a").unwrap()
    }

    #[test]
    fn of_many_exporters_the_first_are_told_apart_and_the_others_are_not_said_to_lack() {
        let names: Vec<String> = (0..=KEPT).map(|n| format!("p{n:05}")).collect();
        let found = of_pods(&names);
        assert!(
            !found.lack(&Exporter::Pod("p01000".into())),
            "it is there, beyond the first"
        );
        assert!(found.lack(&Exporter::Pod("p00000x".into())));
        assert_eq!(found.into_iter().count(), KEPT);
    }

    #[test]
    fn long_names_leave_room_for_fewer() {
        let names: Vec<String> = (0..KEPT).map(|n| format!("p{n:05}{}", "x".repeat(247))).collect();
        let found = of_pods(&names);
        assert!(
            !found.lack(&Exporter::Pod(names[KEPT - 1].as_str().into())),
            "it is there"
        );
        let bytes: usize = found.into_iter().map(|exporter| exporter.name().len()).sum();
        assert!((NAMES - LONGEST_NAME..=NAMES).contains(&bytes), "{bytes}");
    }
}
