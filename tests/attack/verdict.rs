//! Compares the attack with the quiet time, prints both, and decides whether the innocent tenant was harmed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    attacker::Tries,
    cost::Shares,
    innocent::{FEWEST, WANTED},
    record::{Phase, Seen},
    stage::Stage,
};

/// Factor by which reads and polls may become slower.
const FACTOR: f64 = 2.0;
/// Reads up to this are fast enough: twice a millisecond is no harm.
const FAST_READ: Duration = Duration::from_millis(20);
/// Failed probes in a row that restart a pod.
const FATAL_PROBES: u32 = 3;
/// Longest time until replicas follow the load: polls, the HPA's sync, and starting pods.
const FOLLOW: Duration = Duration::from_secs(60);

/// One measured value.
struct Line {
    what: String,
    quiet: String,
    attack: String,
    bound: String,
    holds: bool,
}

/// Prints all measured values. Returns true if the innocent tenant was not harmed.
pub(crate) fn write(
    seen: &Seen,
    costs: &[Shares; 2],
    outcomes: &BTreeMap<&'static str, Tries>,
    stage: &Stage,
) -> bool {
    println!("\n{:<44} {:>8} {:>9}  last refusal", "attack", "tries", "let in");
    for (kind, tries) in outcomes {
        let refusal: String = tries.refusal.chars().take(90).collect();
        println!("{kind:<44} {:>8} {:>9}  {refusal}", tries.all, tries.let_in);
    }
    let mut lines = lines(seen, stage);
    lines.extend(causes(seen, costs, stage));
    println!("\n{:<44} {:>12} {:>12}  bound", "measured", "quiet", "attack");
    for line in &lines {
        let mark = if line.holds { "" } else { "  <-- BROKEN" };
        println!(
            "{:<44} {:>12} {:>12}  {}{mark}",
            line.what, line.quiet, line.attack, line.bound
        );
    }
    let unharmed = lines.iter().all(|line| line.holds);
    if let Some(slower) = slower_machine(seen).filter(|slower| !unharmed && *slower > FACTOR) {
        println!(
            "\nThe API server's own answers took {slower:.1} times as long, and vas has no part in them: processors were \
             short. Run it on a machine that does nothing else, or before all else: chrt -r 1 target/release/attack"
        );
    }
    println!(
        "\n{}",
        if unharmed {
            "the innocent tenant was not harmed"
        } else {
            "the innocent tenant WAS harmed"
        }
    );
    unharmed
}

fn lines(seen: &Seen, stage: &Stage) -> Vec<Line> {
    let [quiet, attack] = &seen.phases;
    let mut lines = Vec::new();
    for server in &stage.servers {
        let of = |phase: &Phase| phase.memory.get(server.name).copied().unwrap_or(u64::MAX);
        lines.push(Line {
            what: format!("{} RSS, MiB", server.name),
            quiet: (of(quiet) / 1024).to_string(),
            attack: (of(attack) / 1024).to_string(),
            bound: format!(
                "under {}{}",
                server.limit / 1024,
                if server.cage.is_some() {
                    ", in a cgroup"
                } else {
                    ""
                }
            ),
            holds: of(attack) < server.limit,
        });
    }
    for (path, row) in &attack.probes {
        let before = quiet.probes.get(path).copied().unwrap_or_default();
        lines.push(Line {
            what: format!("{path}: failed in a row"),
            quiet: format!("{} of {}", before.longest, before.all),
            attack: format!("{} of {}", row.longest, row.all),
            bound: format!("under {FATAL_PROBES}"),
            holds: row.all > 0 && row.longest < FATAL_PROBES,
        });
    }
    let reads = [quiet, attack].map(|phase| median(phase.reads.clone()));
    let bound = reads[0].mul_f64(FACTOR).max(FAST_READ);
    lines.push(Line {
        what: "read through the API server, median".to_owned(),
        quiet: format!("{:.1?}", reads[0]),
        attack: format!("{:.1?}", reads[1]),
        bound: format!("{bound:.1?}"),
        holds: !attack.reads.is_empty() && reads[1] <= bound,
    });
    lines.push(Line {
        what: "reads that failed".to_owned(),
        quiet: quiet.failed_reads.len().to_string(),
        attack: attack.failed_reads.len().to_string(),
        bound: attack
            .failed_reads
            .first()
            .map_or_else(|| "0".to_owned(), |words| format!("0: {words}")),
        holds: attack.failed_reads.is_empty(),
    });
    let polls = [quiet, attack].map(|phase| median(intervals(&phase.polls)));
    let bound = polls[0].mul_f64(FACTOR);
    lines.push(Line {
        what: "time between polls, median".to_owned(),
        quiet: format!("{:.1?}", polls[0]),
        attack: format!("{:.1?}", polls[1]),
        bound: format!("{bound:.1?}"),
        holds: attack.polls.len() > 1 && polls[1] <= bound,
    });
    let fewest = |phase: &Phase| phase.fewest_replicas.unwrap_or_default();
    lines.push(Line {
        what: "replicas, fewest".to_owned(),
        quiet: fewest(quiet).to_string(),
        attack: fewest(attack).to_string(),
        bound: format!("at least {FEWEST}"),
        holds: fewest(attack) >= FEWEST,
    });
    let followed = seen
        .raised
        .zip(seen.followed)
        .map(|(raised, followed)| followed - raised);
    lines.push(Line {
        what: format!("until {WANTED} replicas followed the load"),
        quiet: String::new(),
        attack: followed.map_or_else(|| "never".to_owned(), |time| format!("{time:.1?}")),
        bound: format!("{FOLLOW:.1?}"),
        holds: followed.is_some_and(|time| time <= FOLLOW),
    });
    lines
}

/// Values that explain the others and have no limit.
fn causes(seen: &Seen, costs: &[Shares; 2], stage: &Stage) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut cause = |what: String, [quiet, attack]: [String; 2]| {
        lines.push(Line {
            what,
            quiet,
            attack,
            bound: String::new(),
            holds: true,
        });
    };
    let phases = seen.phases.each_ref();
    for server in &stage.servers {
        let answers = phases.map(|phase| {
            let times = phase.answered_probes.get(server.name).cloned();
            format!("{:.1?}", median(times.unwrap_or_default()))
        });
        cause(format!("{}: answer to a probe, median", server.name), answers);
    }
    let own = phases.map(|phase| format!("{:.1?}", median(phase.own_answers.clone())));
    cause("the API server's own answer, median".to_owned(), own);
    let [quiet, _] = costs;
    for name in quiet.keys() {
        let shares = costs.each_ref().map(|shares| {
            let share = shares.get(name).copied().unwrap_or_default();
            format!("{:.0} %", share * 100.0)
        });
        cause(format!("of one processor: {name}"), shares);
    }
    lines
}

/// How many times as long the API server took for what it knows itself.
fn slower_machine(seen: &Seen) -> Option<f64> {
    let [quiet, attack] = seen
        .phases
        .each_ref()
        .map(|phase| median(phase.own_answers.clone()).as_secs_f64());
    (quiet > 0.0).then(|| attack / quiet)
}

fn intervals(moments: &[Instant]) -> Vec<Duration> {
    moments.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
