//! What a viewer of a board chooses.

use super::{Board, others::voiceassist::QUEUE_DEPTH};
use crate::monitoring::families::{
    Family,
    load_test::ELAPSED,
    metrics_server::POD_INFO,
    scalings::{SCALING_INFO, WORKLOAD_INFO},
};

/// The variable with the data source. Every panel, query and variable reads it.
pub(super) const DATASOURCE: &str = "datasource";

/// A variable whose values are those of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// Its name, which is that of the label.
    pub(super) name: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// The query of its values.
    pub(super) query: String,
    /// Whether "All" matches every value, also none. Else it stands for the values that there are, so that variables
    /// before this one narrow it.
    pub(super) all_is_any: bool,
}

/// The variables of a board, in their order: each one is narrowed by those before it.
pub(super) fn of(board: &Board) -> Vec<Variable> {
    let variable = |name, title, series: String, all_is_any| Variable {
        name,
        title,
        query: format!("label_values({series}, {name})"),
        all_is_any,
    };
    // "All" matches a series without the label too, so namespaces and pods are found while any of the three exporters
    // is scraped: operator, metrics server or VoiceAssist, of which every process exports the depth of the queue.
    let in_environment = of_any(
        &[SCALING_INFO, POD_INFO, QUEUE_DEPTH],
        "environment=~\"$environment\"",
    );
    let in_namespace = format!("{}{{namespace=~\"$namespace\"}}", WORKLOAD_INFO.series());
    let of_workload = of_any(
        &[POD_INFO, QUEUE_DEPTH],
        "namespace=~\"$namespace\", workload=~\"$workload\"",
    );
    let mut variables = vec![
        // A resource without environments has an empty one, which is a value too.
        variable("environment", "Environment", SCALING_INFO.series(), true),
        variable("namespace", "Namespace", in_environment, false),
        variable("workload", "Workload", in_namespace, true),
        variable("pod", "Pod", of_workload, false),
    ];
    if board.scenarios {
        variables.push(variable("scenario", "Scenario", ELAPSED.series(), true));
    }
    variables
}

/// The series of several families that have the matchers.
fn of_any(families: &[Family], matchers: &str) -> String {
    let names: Vec<String> = families.iter().map(Family::series).collect();
    format!("{{__name__=~\"{}\", {matchers}}}", names.join("|"))
}
