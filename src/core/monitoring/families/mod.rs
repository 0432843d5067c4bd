//! The table of all families of metrics that vas exports. Names and labels are API: rules, boards and scripts match on
//! them.
//!
//! Each line is written once: the constant that an exporter uses, and its entry in the table, come from the same line.
//! Must not: hold a value. The exporters measure; `vas_cluster::telemetry::families` writes.

pub mod load_test;
pub mod metrics_server;
pub mod operator;
pub mod process;
pub mod scalings;

/// A family: all series of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name in `# TYPE` lines and in Prometheus' metadata: whole, with the unit, and of a counter without `_total`.
    pub name: &'static str,
    /// The kind of number.
    pub kind: Kind,
    /// The unit of its values, with which the name ends; `None` for plain counts and for 0 and 1.
    pub unit: Option<Unit>,
    /// Its meaning, as one sentence without a full stop.
    pub help: &'static str,
    /// The names of its labels, without `le` of a histogram.
    pub labels: &'static [&'static str],
    /// The program that exports it.
    pub exporter: Exporter,
    /// How many series there are of it.
    pub level: Level,
}

/// The kind of number that a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows, from zero at the start of the process.
    Counter,
    /// A number that rises and falls.
    Gauge,
    /// Counts of observations by size.
    Histogram,
}

impl Kind {
    /// The word in `# TYPE` lines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The unit of a family's values, in the base units of Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds; a time is seconds since 1970.
    Seconds,
    /// A part of a whole, from 0 to 1.
    Ratio,
    /// Bytes, and not multiples of them.
    Bytes,
}

impl Unit {
    /// The word in `# UNIT` lines, with which the name of the family ends.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Ratio => "ratio",
            Self::Bytes => "bytes",
        }
    }
}

/// A program that exports metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exporter {
    /// `vas operator`, at `--metrics-bind-address`.
    Operator,
    /// `vas metrics-server`, at `--metrics-bind-address`.
    MetricsServer,
    /// `vas test`, at `--metrics-listen`.
    LoadTest,
    /// Each of them, about its process.
    Every,
    /// Not vas: boards read its metrics beside ours.
    Other,
}

impl Exporter {
    /// All exporters of vas, in the order of the reference.
    pub const ALL: [Self; 4] = [Self::Operator, Self::MetricsServer, Self::LoadTest, Self::Every];

    /// The command that exports, as a heading and as a label.
    pub fn command(self) -> &'static str {
        match self {
            Self::Operator => "vas operator",
            Self::MetricsServer => "vas metrics-server",
            Self::LoadTest => "vas test",
            Self::Every => "Each of them",
            Self::Other => "Others",
        }
    }

    /// The families of the exporter.
    pub fn families(self) -> impl Iterator<Item = Family> {
        all().filter(move |family| family.exporter == self)
    }
}

/// What the number of a family's series grows with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing: it is about the process, and its label values are few and fixed.
    Process,
    /// The steps of a load test and the causes of their failures.
    Run,
    /// The number of resources: a few series of each.
    Resource,
    /// The number of workloads in resources: a few series of each.
    Workload,
    /// The number of metrics that scale workloads: a few series of each.
    Metric,
    /// The number of live pods of workloads: a series of each.
    Pod,
}

impl Family {
    /// The name of the family's samples in PromQL: that of a counter ends with `_total`. A histogram has `_bucket`,
    /// `_sum` and `_count` after this.
    pub fn series(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }

    /// The name without the unit.
    pub fn stem(&self) -> &'static str {
        let unit = self.unit.map(Unit::as_str).unwrap_or_default();
        let stem = self.name.strip_suffix(unit).unwrap_or(self.name);
        stem.strip_suffix('_').unwrap_or(stem)
    }
}

/// Every family of every program, in the order of the reference.
pub fn all() -> impl Iterator<Item = Family> {
    [
        operator::ALL,
        operator::OF_LEADER,
        scalings::RESOURCE,
        scalings::WORKLOAD,
        scalings::METRIC,
        metrics_server::ALL,
        metrics_server::METRIC,
        metrics_server::POD,
        load_test::ALL,
        process::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Makes a constant of each family, and a table of all of them.
macro_rules! families {
    (
        $(#[$all:meta])* $table:ident of $exporter:ident at $level:ident:
        $($name:ident = $kind:ident $text:literal $(in $unit:ident)? [$($label:literal),*] $help:literal;)+
    ) => {
        $(
            #[doc = $help]
            pub const $name: $crate::monitoring::families::Family = $crate::monitoring::families::Family {
                name: $text,
                kind: $crate::monitoring::families::Kind::$kind,
                unit: $crate::monitoring::families::families!(@unit $($unit)?),
                help: $help,
                labels: &[$($label),*],
                exporter: $crate::monitoring::families::Exporter::$exporter,
                level: $crate::monitoring::families::Level::$level,
            };
        )+
        $(#[$all])*
        pub const $table: &[$crate::monitoring::families::Family] = &[$($name),+];
    };
    (@unit) => { None };
    (@unit $unit:ident) => { Some($crate::monitoring::families::Unit::$unit) };
}
pub(crate) use families;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_those_that_prometheus_asks_for() {
        let mut names = BTreeSet::new();
        for family in all() {
            let Family { name, unit, .. } = family;
            assert!(names.insert(name), "{name} is there twice");
            assert!(
                !name.ends_with("_total"),
                "{name}: a counter's samples get that suffix"
            );
            let says = ["seconds", "ratio", "bytes"]
                .into_iter()
                .find(|unit| name.ends_with(unit));
            assert_eq!(says, unit.map(Unit::as_str), "{name}");
            let prefix = match (family.level, family.exporter) {
                (_, Exporter::Every) if family == process::BUILD_INFO => "vas_",
                (_, Exporter::Every) => "process_",
                (Level::Pod, _) => "vas_pod_",
                (Level::Resource, _) => "vas_scaling_",
                (Level::Workload | Level::Metric, Exporter::Operator) => "vas_workload_",
                (_, Exporter::Operator) => "vas_operator_",
                (_, Exporter::MetricsServer) => "vas_metrics_server_",
                (_, Exporter::LoadTest) => "vas_test_",
                (_, Exporter::Other) => panic!("{name} is not of vas"),
            };
            assert!(name.starts_with(prefix), "{name}");
            assert!(
                !family.help.ends_with('.'),
                "{name}: the exposition adds the full stop"
            );
        }
    }

    #[test]
    fn a_stem_is_the_name_without_its_unit() {
        assert_eq!(
            operator::RECONCILE_DURATION.stem(),
            "vas_operator_reconcile_duration"
        );
        assert_eq!(operator::LEADER.stem(), "vas_operator_leader");
        assert_eq!(operator::RECONCILES.series(), "vas_operator_reconcile_total");
    }
}
