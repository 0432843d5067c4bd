//! Moments that are marked on every board, found in metrics.
//!
//! Invariant: a gap in the data is no event. What is new counts only where its owner was there before, and a leader only
//! where another one led before it.

use super::query::{WINDOW, WORKLOAD, chosen, sum};
use crate::monitoring::families::{
    load_test::ELAPSED,
    operator::LEADER,
    scalings::{WORKLOAD_CONDITION, WORKLOAD_INFO, WORKLOAD_RESCALES},
};

/// For how long it is remembered who led, so that a scrape that failed changes nothing.
const MEMORY: &str = "10m";

/// Events that are marked over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Annotation {
    /// What the events are.
    pub(super) name: &'static str,
    /// The color of the marks, by Grafana's name.
    pub(super) color: &'static str,
    /// An expression that has samples only while there is such an event.
    pub(super) expr: String,
    /// The title of a mark, with labels in double braces.
    pub(super) title: &'static str,
    /// The text of a mark.
    pub(super) text: &'static str,
}

/// The annotations, as viewers switch them on and off.
pub(super) fn all() -> [Annotation; 4] {
    let turns = format!("increase({}[{WINDOW}])", chosen(WORKLOAD_RESCALES));
    let rescales = sum(&format!("{WORKLOAD}, direction"), &turns);
    let condition = chosen(WORKLOAD_CONDITION);
    let by = format!("{WORKLOAD}, type, status, reason");
    let leader = LEADER.series();
    let led = format!("max_over_time({leader}[{MEMORY}] offset $__interval)");
    [
        Annotation {
            name: "Rescales",
            color: "blue",
            expr: format!("{rescales} > 0"),
            title: "Rescale {{direction}}",
            text: "{{namespace}}/{{scaling}}/{{workload}}",
        },
        Annotation {
            name: "Condition changes",
            color: "orange",
            expr: format!(
                "(max by ({by}) ({condition}) unless max by ({by}) ({condition} offset $__interval)) \
                 and on ({WORKLOAD}) ({} offset $__interval)",
                chosen(WORKLOAD_INFO)
            ),
            title: "{{type}} is {{status}}: {{reason}}",
            text: "{{namespace}}/{{scaling}}/{{workload}}",
        },
        Annotation {
            name: "Load tests",
            color: "purple",
            expr: format!("max by (scenario) ({})", ELAPSED.series()),
            title: "Load test",
            text: "{{scenario}}",
        },
        Annotation {
            name: "Leader changes",
            color: "red",
            expr: format!("(({leader} == 1) unless ({led} == 1)) and on () (max({led}) == 1)"),
            title: "Another operator leads",
            text: "{{instance}}",
        },
    ]
}
