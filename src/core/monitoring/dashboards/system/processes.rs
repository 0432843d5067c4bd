//! The processes of vas: operator, metrics server and load tests.

use crate::monitoring::{
    dashboards::{
        Row,
        panel::{Panel, Unit},
        query::WINDOW,
    },
    families::process::{BUILD_INFO, CPU, MAX_FILES, OPEN_FILES, RESIDENT_MEMORY, STARTED},
};

const OF_PROCESS: &str = "{{program}} {{instance}}";

pub(super) fn row() -> Row {
    Row {
        title: "vas processes",
        panels: vec![cpu(), memory(), files(), versions()],
    }
}

/// The processes of vas alone: other programs export metrics of the same names.
fn ours(processes: &str) -> String {
    format!(
        "{processes} * on (instance, job) group_left (program) topk by (instance, job) (1, {})",
        BUILD_INFO.series()
    )
}

fn cpu() -> Panel {
    Panel::lines("Processors", Unit::Cores, "Processors that each process uses.")
        .query(ours(&format!("rate({}[{WINDOW}])", CPU.series())), OF_PROCESS)
}

fn memory() -> Panel {
    Panel::lines(
        "Memory",
        Unit::Bytes,
        "Memory of each process that is in RAM; docs/benchmarks.md has what to expect.",
    )
    .query(ours(&RESIDENT_MEMORY.series()), OF_PROCESS)
}

fn files() -> Panel {
    Panel::lines(
        "Files and connections",
        Unit::Share,
        "Part of the files and connections that each process may have open.",
    )
    .query(
        ours(&format!("{} / ({} > 0)", OPEN_FILES.series(), MAX_FILES.series())),
        OF_PROCESS,
    )
    .orange(0.7)
    .red(0.9)
    .whole()
}

fn versions() -> Panel {
    Panel::table("Versions, and time since the start", Unit::LongSeconds, "What runs, in which version and since when. A short time on all of them is a rollout; on one, a restart.")
        .query(
            format!(
                "(time() - {}) * on (instance, job) group_left (program, version) topk by (instance, job) (1, {})",
                STARTED.series(),
                BUILD_INFO.series()
            ),
            "Running for",
        )
}
