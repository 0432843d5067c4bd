//! VoiceAssist's queue and its workers.

use crate::monitoring::dashboards::{
    Row,
    others::voiceassist::{JOB_DURATION, JOBS, QUEUE_AGE, QUEUE_DEPTH},
    panel::{Panel, Unit},
    query::{WINDOW, once, quantile, rate},
};

pub(super) fn row() -> Row {
    Row {
        title: "VoiceAssist: queue",
        panels: vec![depth(), age(), jobs(), time()],
    }
}

fn depth() -> Panel {
    Panel::lines(
        "Jobs that wait",
        Unit::Count,
        "The whole queue. Every process says the same, so the highest is shown and not their sum.",
    )
    .query(once("namespace, queue", QUEUE_DEPTH), "{{namespace}} {{queue}}")
}

fn age() -> Panel {
    Panel::lines(
        "Wait of the first job",
        Unit::Seconds,
        "How long the oldest waiting job has waited. It tells more than the depth: a deep queue that moves is well.",
    )
    .query(once("namespace, queue", QUEUE_AGE), "{{namespace}} {{queue}}")
    .orange(30.0)
    .red(120.0)
}

fn jobs() -> Panel {
    Panel::stacked("Attempts at jobs", Unit::EventsPerSecond, "By kind and result. Lost ones are tried again by another worker; handed back ones belong to a worker that ends.")
        .query(rate("namespace, kind, result", JOBS), "{{namespace}} {{kind}} {{result}}")
}

fn time() -> Panel {
    Panel::lines(
        "p95 of attempts",
        Unit::Seconds,
        "How long attempts take, by kind of job.",
    )
    .query(
        quantile("0.95", "namespace, kind", JOB_DURATION, WINDOW),
        "{{namespace}} {{kind}}",
    )
}
