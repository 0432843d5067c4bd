//! What the operator writes, and what others write against it.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{RANGE, WINDOW, rate, sum},
    },
    families::operator::{APPLIES, EVENTS, OVERWRITES, STATUS_WRITES},
};

pub(super) fn row() -> Row {
    Row {
        title: "What the operator writes",
        panels: vec![overwrites(), applies(), status_writes(), events()],
    }
}

fn overwrites() -> Panel {
    Panel::lines(
        "Fields that were taken back",
        Unit::Count,
        "Writes that undid a change of somebody else, by kind. Again and again is a fight: find the other writer in managedFields.",
    )
    .query(sum("kind", &format!("increase({}[{WINDOW}])", OVERWRITES.series())), "{{kind}}")
    .orange(1.0)
}

fn applies() -> Panel {
    Panel::stacked(
        "Writes of children",
        Unit::EventsPerSecond,
        "HPAs, VPAs, PodDisruptionBudgets, LimitRanges and ResourceQuotas that were created, changed or deleted, and failures. None is usual while nothing changes.",
    )
    .query(rate("kind, result", APPLIES), "{{kind}} {{result}}")
}

fn status_writes() -> Panel {
    Panel::stacked(
        "Writes of status",
        Unit::EventsPerSecond,
        "Writes of the status of resources. More than the conditions change is a sign of flapping.",
    )
    .query(rate("result", STATUS_WRITES), "{{result}}")
}

fn events() -> Panel {
    Panel::table(
        "Events in this time",
        Unit::Count,
        "Kubernetes Events that the operator published, and that it could not, in the time that is shown.",
    )
    .query(
        sum("result", &format!("increase({}[{RANGE}])", EVENTS.series())),
        "events",
    )
}
