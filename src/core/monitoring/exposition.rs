//! The text of series about objects, in the format of OpenMetrics.
//!
//! All series of one object are added at once, and families must stand together in the text, so each family has a
//! buffer of its own. Invariant: at most `max_series` series at a detail above the least one. Where there would be
//! more, whole levels are left out, the most detailed one first, so that the same families are there for every
//! object. A label value has at most [`LONGEST_VALUE`] bytes, because others choose the texts of conditions and the names
//! of metrics in an HPA.

use std::{collections::BTreeMap, fmt::Write as _};

use super::families::{Family, Level};

/// Most bytes of a label value: the longest name of an object in Kubernetes.
pub const LONGEST_VALUE: usize = 253;
/// The end of a label value that was cut.
const CUT: &str = "...";

/// How much is exported of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Resources and their conditions, and what is not fine about workloads.
    Resource,
    /// What [`Resource`](Self::Resource) has, and bounds, replicas and conditions of workloads.
    Workload,
    /// What [`Workload`](Self::Workload) has, and what is exported of each metric and each pod.
    Full,
}

impl Detail {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Resource, Self::Workload, Self::Full];

    /// The word in flags and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Workload => "workload",
            Self::Full => "full",
        }
    }

    /// The next smaller detail; `None` for the least.
    fn less(self) -> Option<Self> {
        match self {
            Self::Resource => None,
            Self::Workload => Some(Self::Resource),
            Self::Full => Some(Self::Workload),
        }
    }

    /// The most detailed level that is exported.
    fn level(self) -> Level {
        match self {
            Self::Resource => Level::Resource,
            Self::Workload => Level::Workload,
            Self::Full => Level::Pod,
        }
    }
}

/// Series that are being collected.
#[derive(Debug)]
pub struct Exposition {
    detail: Detail,
    max_series: usize,
    series: usize,
    /// By the name of the family, and by the level up to which its series are left out.
    buffers: BTreeMap<(&'static str, Level), Buffer>,
}

#[derive(Debug)]
struct Buffer {
    family: Family,
    text: String,
    series: usize,
}

impl Exposition {
    /// A collection without series, which will hold at most `max_series` above the least detail.
    pub fn new(detail: Detail, max_series: usize) -> Self {
        Self {
            detail,
            max_series,
            series: 0,
            buffers: BTreeMap::new(),
        }
    }

    /// Adds a series. `values` are those of the family's labels, in their order; a label with an empty value is
    /// written too.
    pub fn add(&mut self, family: Family, values: &[&str], value: f64) {
        self.add_at(family.level, family, values, value);
    }

    /// Adds a series that stays where `level` stays, though its family has more detail.
    pub fn add_at(&mut self, level: Level, family: Family, values: &[&str], value: f64) {
        if level > self.detail.level() {
            return;
        }
        let buffer = self
            .buffers
            .entry((family.name, level))
            .or_insert_with(|| Buffer {
                family,
                text: String::new(),
                series: 0,
            });
        buffer.add(values, value);
        self.series += 1;
        while self.series > self.max_series
            && let Some(less) = self.detail.less()
        {
            self.detail = less;
            self.buffers.retain(|(_, level), _| *level <= less.level());
            self.series = self.buffers.values().map(|buffer| buffer.series).sum();
        }
    }

    /// The detail of what is collected: less than was asked for where there were too many series.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Number of series that are collected, without those that were left out.
    pub fn series(&self) -> usize {
        self.series
    }

    /// The text in parts, each family whole; without the line that ends an exposition.
    pub fn into_parts(self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        let mut family = "";
        for ((name, _), buffer) in self.buffers {
            if name != family {
                parts.push(head(&buffer.family));
                family = name;
            }
            parts.push(buffer.text);
        }
        parts
    }
}

impl Buffer {
    fn add(&mut self, values: &[&str], value: f64) {
        let text = &mut self.text;
        text.push_str(self.family.name);
        if self.family.kind == super::families::Kind::Counter {
            text.push_str("_total");
        }
        for (position, (label, value)) in self.family.labels.iter().zip(values).enumerate() {
            text.push(if position == 0 { '{' } else { ',' });
            text.push_str(label);
            text.push_str("=\"");
            let whole = value.len() <= LONGEST_VALUE;
            let shown = if whole { value } else { cut(value) };
            escape(text, shown);
            if !whole {
                text.push_str(CUT);
            }
            text.push('"');
        }
        if !self.family.labels.is_empty() {
            text.push('}');
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, " {value}");
        self.series += 1;
    }
}

/// The lines before the first series of a family.
fn head(family: &Family) -> String {
    let Family { name, kind, help, .. } = family;
    let mut head = format!("# HELP {name} {help}.\n# TYPE {name} {}\n", kind.as_str());
    if let Some(unit) = family.unit {
        // Writing to a String cannot fail.
        let _ = writeln!(head, "# UNIT {name} {}", unit.as_str());
    }
    head
}

/// The beginning of a value that is too long.
fn cut(value: &str) -> &str {
    let end = value.floor_char_boundary(LONGEST_VALUE - CUT.len());
    value.get(..end).unwrap_or_default()
}

/// The value of a label as the format has it.
fn escape(text: &mut String, value: &str) {
    for char in value.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            char => text.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitoring::families::scalings::{
        SCALING_CONDITION, SCALING_GENERATION, WORKLOAD_CONDITION, WORKLOAD_METRIC_VALUE, WORKLOAD_RESCALES,
    };

    const FINE: [&str; 6] = ["ns", "v", "api", "ScalingActive", "True", "ValidMetricFound"];
    const NOT_FINE: [&str; 6] = ["ns", "v", "api", "ScalingActive", "False", "FailedGetPodsMetric"];

    #[test]
    fn a_family_stands_together_whatever_the_order() {
        let mut exposition = Exposition::new(Detail::Full, 100);
        exposition.add(WORKLOAD_RESCALES, &["ns", "a", "w", "up"], 3.0);
        exposition.add(SCALING_GENERATION, &["ns", "a"], 2.0);
        exposition.add(WORKLOAD_RESCALES, &["n\\\"\n", "b", "w", "down"], 0.5);
        let text = exposition.into_parts().concat();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[2],
            r#"vas_scaling_generation{namespace="ns",scaling="a"} 2"#
        );
        assert_eq!(
            lines[4..],
            [
                "# TYPE vas_workload_rescales counter",
                r#"vas_workload_rescales_total{namespace="ns",scaling="a",workload="w",direction="up"} 3"#,
                r#"vas_workload_rescales_total{namespace="n\\\"\n",scaling="b",workload="w",direction="down"} 0.5"#,
            ]
        );
    }

    #[test]
    fn a_label_value_that_others_chose_is_cut_and_says_so() {
        let shown = |value: &str| {
            let mut exposition = Exposition::new(Detail::Full, 100);
            exposition.add(WORKLOAD_METRIC_VALUE, &["ns", "v", "api", value], 1.0);
            let text = exposition.into_parts().concat();
            let shown = text.split("metric=\"").nth(1).unwrap().split('"').next();
            shown.unwrap().to_owned()
        };
        let longest = "x".repeat(253);
        assert_eq!(shown(&longest), longest);
        assert_eq!(shown(&"x".repeat(254)), format!("{}...", "x".repeat(250)));
        assert_eq!(
            shown(&"\u{e9}".repeat(1_000_000)),
            format!("{}...", "\u{e9}".repeat(125))
        );
    }

    #[test]
    fn beyond_the_bound_levels_are_left_out_and_what_is_not_fine_stays() {
        let mut exposition = Exposition::new(Detail::Full, 4);
        for scaling in ["a", "b"] {
            exposition.add(SCALING_CONDITION, &["ns", scaling, "Ready", "True", "Ready"], 1.0);
            exposition.add(WORKLOAD_CONDITION, &FINE, 1.0);
            exposition.add_at(Level::Resource, WORKLOAD_CONDITION, &NOT_FINE, 1.0);
            exposition.add(WORKLOAD_METRIC_VALUE, &["ns", scaling, "api", "cpu"], 70.0);
        }
        assert_eq!(exposition.detail(), Detail::Resource);
        assert_eq!(exposition.series(), 4);
        let text = exposition.into_parts().concat();
        assert_eq!(text.matches("# TYPE vas_workload_condition").count(), 1, "{text}");
        assert_eq!(text.matches("status=\"False\"").count(), 2, "{text}");
        assert!(
            !text.contains("ValidMetricFound") && !text.contains("metric_value"),
            "{text}"
        );
    }

    #[test]
    fn the_least_detail_has_no_bound_and_says_how_much_it_is() {
        let mut exposition = Exposition::new(Detail::Workload, 1);
        for scaling in ["a", "b", "c"] {
            exposition.add(SCALING_GENERATION, &["ns", scaling], 1.0);
        }
        assert_eq!((exposition.detail(), exposition.series()), (Detail::Resource, 3));
    }
}
