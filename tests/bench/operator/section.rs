//! The section of docs/benchmarks.md on the operator.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use crate::{procfs::Memory, table::Table};

/// Name of the section in its marks.
pub(crate) const NAME: &str = "operator";

/// All figures of the section.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Time, version and machine of the measurement.
    pub circumstances: String,
    pub steps: Vec<Step>,
    /// Objects per second by raw server-side apply.
    pub raw: Option<f64>,
    pub quiet: Option<Quiet>,
}

/// Requests while nothing changed.
#[derive(Debug)]
pub(crate) struct Quiet {
    pub size: usize,
    pub length: Duration,
    pub requests: Requests,
    pub cpu: Duration,
    pub memory: Memory,
}

/// Figures of one number of resources.
#[derive(Debug)]
pub(crate) struct Step {
    pub size: usize,
    /// Number of new resources in this step.
    pub new: usize,
    pub created: Duration,
    pub requests: Requests,
    pub after_creation: Memory,
    pub restarts: Vec<Restart>,
}

/// The operator's requests by verb and resource.
pub(crate) type Requests = BTreeMap<String, usize>;

/// Figures of a start with nothing to do.
#[derive(Debug)]
pub(crate) struct Restart {
    pub what: String,
    pub took: Duration,
    pub requests: Requests,
    pub memory: Memory,
}

/// The section, without its marks.
pub(crate) fn text(figures: &Figures) -> String {
    let mut text = format!(
        "## The operator\n\n\
         `make bench-operator`: resources of one workload each, with an HPA on CPU and a disruption budget, all in one \
         namespace. {}. The API server, etcd and the operator share the machine; there are no controllers. Raw: \
         the same children by server-side apply without an operator, 32 at a time, in the same run: {} objects/s.\n\n",
        figures.circumstances,
        figures.raw.map_or("?".to_owned(), |raw| format!("{raw:.0}")),
    );
    text += "### New resources\n\n";
    let mut new = Table::new(&[
        "resources",
        "new",
        "new/s",
        "children/s",
        "requests per new resource",
        "GETs per new resource",
        "RSS",
    ]);
    for step in &figures.steps {
        let per_second = step.new as f64 / step.created.as_secs_f64();
        let asked = |what: fn(&str) -> bool| {
            let counts = step.requests.iter().filter(|(request, _)| what(request));
            counts.map(|(_, count)| *count).sum::<usize>() as f64 / step.new as f64
        };
        new.row(vec![
            step.size.to_string(),
            step.new.to_string(),
            format!("{per_second:.0}"),
            format!("{:.0}", 2.0 * per_second),
            format!("{:.2}", asked(|request| !is_watch(request))),
            format!("{:.2}", asked(|request| request.starts_with("get "))),
            megabytes(step.after_creation.resident),
        ]);
    }
    let _ = write!(text, "{}\n### A restart with nothing to do\n\n", new.markdown());
    let mut restarts = Table::new(&[
        "resources",
        "",
        "until done",
        "lists",
        "GETs",
        "writes",
        "RSS",
        "peak",
    ]);
    for step in &figures.steps {
        for restart in &step.restarts {
            let count = |verbs: &[&str]| {
                let asked = restart.requests.iter();
                let asked = asked
                    .filter(|(request, _)| verbs.iter().any(|verb| request.starts_with(&format!("{verb} "))));
                asked.map(|(_, count)| *count).sum::<usize>().to_string()
            };
            restarts.row(vec![
                step.size.to_string(),
                restart.what.clone(),
                format!("{:.1} s", restart.took.as_secs_f64()),
                count(&["list"]),
                count(&["get"]),
                count(&["patch", "create", "update", "delete"]),
                megabytes(restart.memory.resident),
                megabytes(restart.memory.peak),
            ]);
        }
    }
    let _ = write!(text, "{}", restarts.markdown());
    if let Some(each) = growth(&figures.steps) {
        let _ = write!(
            text,
            "\nMemory grows by {each:.1} kB a resource between the smallest and the largest number, after a restart.\n"
        );
    }
    if let Some(quiet) = &figures.quiet {
        text += &quiet_text(quiet);
    }
    text
}

fn quiet_text(quiet: &Quiet) -> String {
    let is_lease = |request: &str| request.ends_with(" leases");
    let count = |what: &dyn Fn(&str) -> bool| {
        let counts = quiet.requests.iter().filter(|(request, _)| what(request));
        counts.map(|(_, count)| *count).sum::<usize>()
    };
    let others: Vec<String> = quiet
        .requests
        .iter()
        .filter(|(request, _)| !request.starts_with("watch ") && !is_lease(request))
        .map(|(request, count)| format!("{count} {request}"))
        .collect();
    format!(
        "\n### Quiet\n\n{} s with {} resources and nothing to do, as a leader: {} watches that began anew, {} requests \
         for the Lease, others: {}. The operator used {:.2} s of CPU in this time, and held {}.\n",
        quiet.length.as_secs(),
        quiet.size,
        count(&|request| request.starts_with("watch ")),
        count(&is_lease),
        if others.is_empty() {
            "none".to_owned()
        } else {
            others.join(", ")
        },
        quiet.cpu.as_secs_f64(),
        megabytes(quiet.memory.resident),
    )
}

fn is_watch(request: &str) -> bool {
    request.starts_with("watch ") || request.starts_with("list ")
}

fn megabytes(kib: u64) -> String {
    format!("{:.0} MB", kib as f64 * 1.024 / 1000.0)
}

/// Memory that each resource adds, in kB.
fn growth(steps: &[Step]) -> Option<f64> {
    let (first, last) = (steps.first()?, steps.last()?);
    let memory = |step: &Step| {
        step.restarts
            .first()
            .map(|restart| restart.memory.resident as f64 * 1.024)
    };
    let grown = memory(last)? - memory(first)?;
    (last.size > first.size).then(|| grown / (last.size - first.size) as f64)
}
