//! The alerts that come with vas, as rules of Prometheus.
//!
//! ```text
//! installation  alerts about the operator, the metrics server and what they need
//! workloads     alerts about resources and their workloads
//! files         the files that hold them
//! ```
//!
//! Invariant: an expression aggregates `instance`, `pod` and `reason` away, so that an alert stands through a change of
//! leader or of reason, and is there once. Names of metrics come from [`super::families`].

pub mod files;
mod installation;
mod workloads;

use std::fmt;

use super::dashboards;

/// A condition that somebody has to know of, with what Prometheus needs to tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Name, which is that of its runbook too.
    pub name: &'static str,
    /// How urgent it is.
    pub severity: Severity,
    /// The condition, in PromQL.
    pub expr: String,
    /// For how long the condition has to hold, as Prometheus writes durations.
    pub holds: &'static str,
    /// What is wrong, in one sentence.
    pub summary: &'static str,
    /// The same with the numbers; a template of Prometheus, whose variables are labels and the value alone.
    pub description: &'static str,
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Users notice, or will within minutes.
    Critical,
    /// Somebody has to look within the day.
    Warning,
    /// It costs money or chances.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// Alerts that are evaluated together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name of the group.
    pub name: &'static str,
    /// The address in Grafana of the board that shows what its alerts are about.
    pub board: &'static str,
    /// The alerts of the group, in the order of the file.
    pub alerts: Vec<Alert>,
}

/// The groups of the shipped file, in its order.
pub fn groups() -> Vec<Group> {
    vec![
        Group {
            name: "vas-installation",
            board: dashboards::SYSTEM,
            alerts: installation::alerts(),
        },
        Group {
            name: "vas-workloads",
            board: dashboards::AUTOSCALING,
            alerts: workloads::alerts(),
        },
    ]
}

#[cfg(test)]
mod tests;
