//! What a viewer of a board chooses.

use super::Board;
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
    let in_environment = format!("{}{{environment=~\"$environment\"}}", SCALING_INFO.series());
    let in_namespace =
        |family: Family, more: &str| format!("{}{{namespace=~\"$namespace\"{more}}}", family.series());
    let of_workload = in_namespace(POD_INFO, ", workload=~\"$workload\"");
    let mut variables = vec![
        // A resource without environments has an empty one, which is a value too.
        variable("environment", "Environment", SCALING_INFO.series(), true),
        variable("namespace", "Namespace", in_environment, false),
        variable("workload", "Workload", in_namespace(WORKLOAD_INFO, ""), true),
        variable("pod", "Pod", of_workload, true),
    ];
    if board.scenarios {
        variables.push(variable("scenario", "Scenario", ELAPSED.series(), true));
    }
    variables
}
