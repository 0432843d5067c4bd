//! Whether the generator was the bottleneck: then the run proves nothing about the service.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::{WINDOW, once, quantile},
    },
    families::load_test::{GENERATOR_CPU, SCHEDULE_ERROR},
};

pub(super) fn row() -> Row {
    Row {
        title: "The generator",
        panels: vec![cpu(), lateness()],
    }
}

fn cpu() -> Panel {
    Panel::lines(
        "Processors that the generator uses",
        Unit::Share,
        "Part of its processors. Beyond 80 % the generator and not the service may cause latency: use --in-cluster --workers.",
    )
    .query(once("scenario", GENERATOR_CPU), "{{scenario}}")
    .orange(0.8)
    .red(0.95)
    .whole()
}

fn lateness() -> Panel {
    Panel::lines(
        "How late requests were sent",
        Unit::Seconds,
        "Time between the moment a request was due and the moment it was sent. It is part of the latency above; more than milliseconds is the generator's fault.",
    )
    .query(quantile("0.5", "scenario", SCHEDULE_ERROR, WINDOW), "{{scenario}} p50")
    .query(quantile("0.99", "scenario", SCHEDULE_ERROR, WINDOW), "{{scenario}} p99")
    .orange(0.01)
    .red(0.1)
}
