//! The most important figures, as tiles.

use super::{chart::plain, markup::Markup};
use crate::{
    model::{chain::Chain, measured::Requests},
    report::{Report, words},
    scenario::{
        duration::{self, short},
        threshold::in_percent,
    },
};

/// One figure of the summary: its name, its value, and a line below.
#[derive(Debug)]
pub(super) struct Tile {
    name: String,
    value: String,
    more: String,
    /// Whether the figure is marked as bad, such as a latency above its objective.
    bad: bool,
}

impl Tile {
    /// The same tile, marked as bad if `bad`.
    pub(super) fn marked(self, bad: bool) -> Self {
        Self { bad, ..self }
    }
}

/// Writes the tiles of a report.
pub(super) fn write(out: &mut Markup, report: &Report) {
    section(out, tiles(report));
}

/// Writes tiles as a section of their own.
pub(super) fn section(out: &mut Markup, tiles: Vec<Tile>) {
    out.element("section", &[("aria-label", &"Figures")], |out| {
        // Few columns, so that each tile is wide enough for the name of a workload.
        let columns = match tiles.len() {
            few @ ..=5 => few,
            6 => 3,
            _ => 4,
        };
        let style = format!("--columns:{columns}");
        out.element("dl", &[("class", &"tiles"), ("style", &style)], |out| {
            for tile in tiles {
                let class = if tile.bad { "tile bad" } else { "tile" };
                out.element("div", &[("class", &class)], |out| {
                    out.leaf("dt", &[], &tile.name);
                    out.leaf("dd", &[], &tile.value);
                    out.leaf("dd", &[("class", &"more")], &tile.more);
                });
            }
        });
    });
}

fn tiles(report: &Report) -> Vec<Tile> {
    let mut tiles = load(report);
    let several = report.workloads.len() > 1;
    for workload in &report.workloads {
        let scaling = &workload.scaling;
        let named = |before: &str| {
            if several {
                format!("{before}{}", scaling.target)
            } else {
                String::new()
            }
        };
        if let Some((fewest, most)) = words::ready_range(scaling) {
            let bounds = format!(
                "{}, bounds {} to {}",
                scaling.target, scaling.bounds.min, scaling.bounds.max
            );
            tiles.push(tile("Ready replicas", format!("{fewest}\u{2013}{most}"), bounds));
        }
        let slowest = workload
            .chains
            .iter()
            .filter_map(Chain::time_to_scale)
            .reduce(f64::max);
        if let Some(slowest) = slowest {
            let count = workload.chains.len();
            let of = if count == 1 {
                "one scale-up".to_owned()
            } else {
                format!("slowest of {count} scale-ups")
            };
            let more = format!("{of}{}", named(", "));
            tiles.push(tile("Time to scale", format!("{slowest:.1} s"), more));
        }
        if let Some(elasticity) = &workload.elasticity {
            tiles.push(tile(
                "Too few replicas",
                format!("{:.1}%", elasticity.under_timeshare),
                format!(
                    "of the time{}; too many {:.1}%",
                    named(", "),
                    elasticity.over_timeshare
                ),
            ));
        }
    }
    tiles
}

/// Tiles of the load: requests, rate, failures and latency.
fn load(report: &Report) -> Vec<Tile> {
    let total = &report.measured.total;
    let unsent = match report.measured.generator.unsent {
        0 => String::new(),
        unsent => format!(", {} never sent", grouped(unsent)),
    };
    let mut tiles = vec![
        tile(
            "Requests",
            grouped(total.due),
            format!("due; {} answered{unsent}", grouped(total.answered)),
        ),
        tile(
            "Answered",
            words::achieved_rate(report).map_or("no rate".to_owned(), |rate| format!("{}/s", plain(rate))),
            match total.answered.saturating_sub(total.answered_in_time) {
                0 => format!("over {}", duration::format(report.measured.elapsed)),
                late => format!(
                    "over {}; {} came after it",
                    duration::format(report.measured.elapsed),
                    grouped(late)
                ),
            },
        ),
        tile(
            "Failed",
            total.error_share().map_or("none ended".to_owned(), in_percent),
            failed(total),
        ),
    ];
    let quantile = |share| total.latency.quantile(share);
    let p95 = quantile(0.95);
    tiles.push(tile(
        "Latency p50",
        p95.map_or("no answer".to_owned(), |_| {
            quantile(0.5).map(short).unwrap_or_default()
        }),
        quantile(0.99)
            .map(|p99| match total.failed_latency.count() {
                0 => format!("p99 {}", short(p99)),
                failed => format!("p99 {}; {} of them failed", short(p99), grouped(failed)),
            })
            .unwrap_or_default(),
    ));
    tiles.push(Tile {
        bad: p95
            .zip(report.objective)
            .is_some_and(|(p95, objective)| p95 >= objective),
        ..tile(
            "Latency p95",
            p95.map_or("no answer".to_owned(), short),
            report
                .objective
                .map(|objective| format!("objective {}", duration::format(objective)))
                .unwrap_or_default(),
        )
    });
    tiles
}

/// A tile that is not marked as bad.
pub(super) fn tile(name: &str, value: String, more: String) -> Tile {
    Tile {
        name: name.to_owned(),
        value,
        more,
        bad: false,
    }
}

/// Failed requests, and requests that were sent twice.
fn failed(total: &Requests) -> String {
    let failed = format!("{} requests", grouped(total.failed()));
    match total.retried {
        0 => failed,
        twice => format!("{failed}; {} sent twice", grouped(twice)),
    }
}

/// A count with commas between thousands: `1,234,567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
