//! The live table: one line for each moment, with both workloads.

use crate::{
    narrator::ROW,
    oracle::{Moment, Track},
    record::{HpaStatus, Offered, Record, Scale, Values, latest},
    terminal::{Look, Terminal},
    workload::Workload,
};

/// Columns of the widest line.
#[cfg(test)]
const WIDTH: usize = 110;

/// One row of the table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    at: Moment,
    offered: Option<f64>,
    /// Percent of the recent requests that failed.
    failed: Option<f64>,
    told: Values,
    gateway: (Scale, HpaStatus),
    worker: (Scale, HpaStatus),
}

impl Row {
    /// The latest observations.
    pub(crate) fn of(record: &Record, at: Moment) -> Self {
        Self {
            at,
            offered: latest(&record.offered).map(|offered| offered.service.requests_per_second),
            failed: failed(&record.offered),
            told: latest(&record.served).copied().unwrap_or_default(),
            gateway: record.now(Workload::Gateway),
            worker: record.now(Workload::Worker),
        }
    }

    /// The text of the row.
    pub(crate) fn render(&self, terminal: Terminal) -> String {
        format!(
            "{:>5} {:>5} {:>6} {:>7} {} │ {:>5} {:>5} {}",
            clock(self.at),
            number(self.offered, 0),
            self.failed
                .map_or_else(|| "–".to_owned(), |percent| format!("{percent:.0}%")),
            number(self.told.rate, 1),
            replicas(&self.gateway, terminal),
            number(self.told.depth, 0),
            number(self.told.age, 0),
            replicas(&self.worker, terminal),
        )
    }
}

/// The two lines above the first row.
pub(crate) fn header(terminal: Terminal) -> [String; 2] {
    let above = format!(
        "{:>5} {:<55} │ {}",
        "", "api-gateway: 100 requests/s per pod", "worker: 50 jobs per pod, none older than 60 s"
    );
    let columns = "want pods ready  highest metric   ";
    let below = format!(
        "{:>5} {:>5} {:>6} {:>7} {columns} │ {:>5} {:>5} {columns}",
        "time", "req/s", "failed", "per pod", "depth", "age"
    );
    [
        terminal.paint(Look::Bold, &above),
        terminal.paint(Look::Dim, &below),
    ]
}

/// Minutes and seconds.
pub(crate) fn clock(at: Moment) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "minutes and seconds of a story")]
    let seconds = at.max(0.0) as i64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Percent of the requests since the last row that were refused.
fn failed(offered: &Track<Offered>) -> Option<f64> {
    let (last, now) = offered.points().next_back()?;
    let before = offered.at(last - ROW.as_secs_f64())?.service;
    let arrived = now.service.arrived - before.arrived;
    #[expect(clippy::cast_precision_loss, reason = "requests of some seconds")]
    let percent = |rejected: u64| 100.0 * rejected as f64 / arrived as f64;
    (arrived > 0).then(|| percent(now.service.rejected - before.rejected))
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

fn replicas((scale, hpa): &(Scale, HpaStatus), terminal: Terminal) -> String {
    let want = format!("{:>4}", hpa.desired);
    let pods = format!("{:>4}", scale.spec);
    let ready = format!("{:>5}", scale.ready);
    let starting = if scale.ready < scale.spec {
        Look::Yellow
    } else {
        Look::Plain
    };
    let (look, why) = highest(hpa);
    format!(
        "{} {pods} {}  {}",
        terminal.paint(Look::Bold, &want),
        terminal.paint(starting, &ready),
        terminal.paint(look, &format!("{why:<17}"))
    )
}

/// The metric that is highest above its target, and thus decides. Without data, a note that the HPA holds.
fn highest(hpa: &HpaStatus) -> (Look, String) {
    let failing = hpa.active.as_ref().filter(|active| active.status != "True");
    if failing.is_some() {
        return (Look::Red, "no data, holds".to_owned());
    }
    match &hpa.leading {
        Some((metric, ratio)) if *ratio > 1.1 => (Look::Green, format!("{metric} {ratio:.1}x")),
        Some((metric, ratio)) if *ratio < 0.9 => (Look::Cyan, format!("{metric} {ratio:.1}x")),
        Some((metric, ratio)) => (Look::Plain, format!("{metric} {ratio:.1}x")),
        None => (Look::Plain, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Condition;

    fn row() -> Row {
        let scale = Scale {
            spec: 9,
            status: 9,
            ready: 7,
        };
        let hpa = HpaStatus {
            desired: 9,
            leading: Some(("request-rate".to_owned(), 2.84)),
            active: None,
        };
        Row {
            at: 75.4,
            offered: Some(840.0),
            failed: Some(12.4),
            told: Values {
                rate: Some(283.97),
                depth: Some(12.0),
                age: None,
            },
            gateway: (scale, hpa.clone()),
            worker: (scale, hpa),
        }
    }

    #[test]
    fn a_row_shows_both_workloads_within_the_width() {
        let line = row().render(Terminal::plain());
        assert!(line.chars().count() <= WIDTH, "{}", line.chars().count());
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "1:15",
                "840",
                "12%",
                "284.0",
                "9",
                "9",
                "7",
                "request-rate",
                "2.8x",
                "│",
                "12",
                "–",
                "9",
                "9",
                "7",
                "request-rate",
                "2.8x"
            ]
        );
    }

    #[test]
    fn header_and_rows_line_up() {
        let bar = |line: &str| line.chars().position(|char| char == '│');
        let [above, below] = header(Terminal::plain());
        assert_eq!(bar(&above), bar(&below));
        assert_eq!(bar(&row().render(Terminal::plain())), bar(&below));
        assert!(above.chars().count() <= WIDTH);
    }

    #[test]
    fn an_hpa_without_data_says_that_it_holds() {
        let hpa = HpaStatus {
            active: Some(Condition {
                status: "False".to_owned(),
                ..Condition::default()
            }),
            ..row().gateway.1
        };
        assert_eq!(highest(&hpa).1, "no data, holds");
    }
}
