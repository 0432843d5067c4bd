//! The aims of the metrics server, and whether this run shows that they are met.

use std::fmt::Write as _;

use crate::{
    adapters::{FIXED, VAS},
    arguments::{Read, Way},
    measure::{Load, Point},
    pattern::Pattern,
    report::{PEER, mebibytes},
};

/// Rate of the open loop that the aims are for.
const BUSY: Load = Load::Rate(667);
const USUAL: Load = Load::Rate(200);
/// Most memory with 1,000 workloads, in MiB.
const MEMORY_MIB: f64 = 40.0;

/// One aim: its subject, the wanted and the found value, and the verdict. Nothing is found where a figure
/// that it compares was not measured.
struct Aim {
    what: String,
    wanted: String,
    found: Option<(String, bool)>,
}

/// All aims as a table.
pub(crate) fn table(points: &[Point], patterns: &[Pattern]) -> String {
    let mut text = "| aim | wanted | found | |\n| --- | --- | --- | --- |\n".to_owned();
    for aim in aims(points, patterns) {
        let (found, verdict) = match aim.found {
            Some((found, true)) => (found, "met"),
            Some((found, false)) => (found, "**missed**"),
            None => ("-".to_owned(), "not measured"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} | {} | {found} | {verdict} |", aim.what, aim.wanted);
    }
    text
}

fn aims(points: &[Point], patterns: &[Pattern]) -> Vec<Aim> {
    let direct = |read, load, server: &str| {
        points.iter().find(move |point| {
            (point.way, point.read, point.load, point.server) == (Way::Direct, read, load, server)
        })
    };
    let p99 = |point: &Point| point.samples.percentile(99.0);
    let rate = |point: &Point| Some(point.samples.rate());
    let reads = [Read::Object, Read::Pods, Read::External];
    let mut aims = vec![answered(points)];
    for read in [Read::Object, Read::Pods, Read::External, Read::Discovery] {
        aims.push(at_most(
            format!("p99 of {} at 667/s, direct, to the floor", read.name()),
            2.0,
            ratio(
                direct(read, BUSY, VAS).and_then(p99),
                direct(read, BUSY, FIXED).and_then(p99),
            ),
        ));
    }
    for read in reads {
        let wanted = if read == Read::Pods { 20.0 } else { 10.0 };
        aims.push(at_least(
            format!("most {} reads per second, direct, to {PEER}", read.name()),
            wanted,
            ratio(
                direct(read, Load::Most, VAS).and_then(rate),
                direct(read, Load::Most, PEER).and_then(rate),
            ),
        ));
    }
    for read in reads {
        let (peer, vas) = (direct(read, USUAL, PEER), direct(read, USUAL, VAS));
        for (load, when) in [(USUAL, "at 200/s"), (Load::Most, "at most")] {
            let cpu = |server: &str| direct(read, load, server).and_then(Point::cpu_per_read);
            let mut aim = at_least(
                format!("CPU of {PEER} per {} read {when}, to vas", read.name()),
                40.0,
                ratio(cpu(PEER), cpu(VAS)),
            );
            // The floor's ratio is the best that any server could reach here.
            if let (Some((found, _)), Some(floor)) = (&mut aim.found, ratio(cpu(PEER), cpu(FIXED))) {
                // Writing to a string cannot fail.
                let _ = write!(found, " (to the floor {floor:.1}x)");
            }
            aims.push(aim);
        }
        let wanted = if read == Read::Pods { 50.0 } else { 10.0 };
        aims.push(at_least(
            format!("p99 of {PEER} of {} reads at 200/s, to vas", read.name()),
            wanted,
            ratio(peer.and_then(p99), vas.and_then(p99)),
        ));
    }
    aims.extend([memory(patterns), queries(patterns)]);
    aims
}

fn ratio(this: Option<f64>, that: Option<f64>) -> Option<f64> {
    let (this, that) = (this?, that?);
    (that > 0.0).then(|| this / that)
}

fn at_least(what: String, wanted: f64, found: Option<f64>) -> Aim {
    Aim {
        what,
        wanted: format!("at least {wanted:.0}x"),
        found: found.map(|found| (format!("{found:.1}x"), found >= wanted)),
    }
}

fn at_most(what: String, wanted: f64, found: Option<f64>) -> Aim {
    Aim {
        what,
        wanted: format!("at most {wanted:.0}x"),
        found: found.map(|found| (format!("{found:.1}x"), found <= wanted)),
    }
}

fn answered(points: &[Point]) -> Aim {
    let of_vas: Vec<&Point> = points
        .iter()
        .filter(|point| (point.way, point.load, point.server) == (Way::Direct, BUSY, VAS))
        .collect();
    let (sent, answered) = of_vas.iter().fold((0, 0), |(sent, answered), point| {
        (sent + point.samples.sent(), answered + point.samples.answered())
    });
    Aim {
        what: "reads answered at 667/s, direct".to_owned(),
        wanted: "all".to_owned(),
        found: (sent > 0).then(|| (format!("{answered} of {sent}"), answered == sent)),
    }
}

fn memory(patterns: &[Pattern]) -> Aim {
    let largest = of_vas(patterns).max_by_key(|pattern| pattern.workloads);
    Aim {
        what: "RSS at 1,000 workloads".to_owned(),
        wanted: format!("under {MEMORY_MIB:.0} MiB"),
        found: largest
            .filter(|pattern| pattern.workloads >= 1000)
            .map(|pattern| {
                let found = mebibytes(pattern.memory.resident);
                let words = format!("{found:.1} MiB, with {} pods of others", pattern.foreign_pods);
                (words, found < MEMORY_MIB)
            }),
    }
}

/// Polls are spread at random by 10 %, and a stretch may begin just before or just after one. So twice as
/// many queries are no growth; growth with the resources would be fivefold.
fn queries(patterns: &[Pattern]) -> Aim {
    let few = of_vas(patterns).min_by_key(|pattern| pattern.workloads);
    let many = of_vas(patterns).max_by_key(|pattern| pattern.workloads);
    let found = few.zip(many).filter(|(few, many)| few.workloads < many.workloads);
    Aim {
        what: "Prometheus queries per minute do not grow with resources of one shape".to_owned(),
        wanted: "the same".to_owned(),
        found: found.map(|(few, many)| {
            let per_minute = |pattern: &Pattern| pattern.per_minute(pattern.queries);
            let words = format!(
                "{:.0} with {} workloads, {:.0} with {}",
                per_minute(few),
                few.workloads,
                per_minute(many),
                many.workloads
            );
            (words, per_minute(many) < 1.5 * per_minute(few))
        }),
    }
}

fn of_vas(patterns: &[Pattern]) -> impl Iterator<Item = &Pattern> {
    patterns.iter().filter(|pattern| pattern.server == VAS)
}
