//! Conditions over time.

use super::free_to_move;
use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Color, Panel, Word},
        query::{OF_WORKLOAD, RESOURCE, WORKLOAD, once, once_where},
    },
    families::{
        Family,
        scalings::{SCALING_CONDITION, WORKLOAD_CONDITION, WORKLOAD_SUSPENDED},
    },
};

const fn word(value: u32, text: &'static str, color: Color) -> Word {
    Word { value, text, color }
}

const STATUS: [Word; 3] = [
    word(0, "False", Color::Red),
    word(1, "True", Color::Green),
    word(2, "Unknown", Color::Orange),
];

pub(super) fn row() -> Row {
    Row {
        title: "Conditions",
        panels: vec![of_resources(), of_workloads(), limited(), suspended()],
    }
}

/// The status of conditions as a number, as [`STATUS`] reads it.
fn status(labels: &str, family: Family, types: &str) -> String {
    let of = |status: &str| once_where(labels, family, &format!("{types}, status=\"{status}\""));
    format!("0 * {} or {} or 2 * {}", of("False"), of("True"), of("Unknown"))
}

fn of_resources() -> Panel {
    let labels = format!("{RESOURCE}, type");
    Panel::states(
        "Conditions of resources",
        &STATUS,
        "Each condition of a VoiceAssistScaling. QuotaSufficient and LimitsManaged are warnings, which Ready does not count.",
    )
    .query(
        status(&labels, SCALING_CONDITION, "type!=\"Suspended\""),
        "{{namespace}}/{{scaling}} {{type}}",
    )
}

fn of_workloads() -> Panel {
    let labels = format!("{WORKLOAD}, type");
    Panel::states(
        "Conditions of workloads",
        &STATUS,
        "Each condition of a workload and of its HPA. ScalingActive is False where the HPA reads no metric.",
    )
    .query(
        status(&labels, WORKLOAD_CONDITION, "type!~\"ScalingLimited|Suspended\""),
        "{{namespace}}/{{scaling}}/{{workload}} {{type}}",
    )
}

fn limited() -> Panel {
    let words = [
        word(0, "free", Color::Green),
        word(1, "other", Color::Blue),
        word(2, "at minReplicas", Color::Blue),
        word(3, "at maxReplicas", Color::Red),
    ];
    let of = |matchers: &str| {
        once_where(
            WORKLOAD,
            WORKLOAD_CONDITION,
            &format!("type=\"ScalingLimited\", {matchers}"),
        )
    };
    Panel::states(
        "Limited by bounds",
        &words,
        "Whether a bound keeps the HPA from what its metrics ask for. Other reasons are the policies of its behavior. A workload whose bounds are equal has no bar.",
    )
    .query(
        free_to_move(&format!(
            "(3 * {} or 2 * {} or {} or 0 * {})",
            of("status=\"True\", reason=\"TooManyReplicas\""),
            of("status=\"True\", reason=\"TooFewReplicas\""),
            of("status=\"True\""),
            of("status=\"False\""),
        )),
        OF_WORKLOAD,
    )
}

fn suspended() -> Panel {
    let words = [
        word(0, "scales", Color::Green),
        word(1, "suspended", Color::Orange),
    ];
    Panel::states(
        "Suspended",
        &words,
        "Workloads whose HPA may move replicas in neither direction, because somebody suspended them.",
    )
    .query(once(WORKLOAD, WORKLOAD_SUSPENDED), OF_WORKLOAD)
}
