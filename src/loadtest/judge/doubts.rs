//! Whether the load generator, and not the service, caused the result. `docs/load-testing.md` states each
//! rule.

use std::time::Duration;

use crate::{
    model::measured::{End, Fault, Measured, ratio},
    scenario::{
        duration::short,
        model::{Load, Model, Scenario},
        threshold::in_percent,
    },
};

/// Longest pause of the whole process, in seconds, that a busy machine may cause.
const PAUSE: f64 = 0.25;
/// Share of its processors that the generator may use; k6's documentation asks for 20 % left idle.
const BUSY: f64 = 0.8;
/// Schedule errors up to this are never a doubt.
const LATE: Duration = Duration::from_millis(10);
/// Schedule errors up to this share of the p99 latency are no doubt: they do not change it much.
const LATE_SHARE: f64 = 0.1;
/// Share of requests that may have waited for a connection because of the generator's own limit.
const WAITED: f64 = 0.01;
/// Share of the planned requests that must have been due.
const DUE: f64 = 0.99;

/// Reasons why the run proves nothing, in words; empty for a run without doubts.
pub fn doubts(scenario: &Scenario, measured: &Measured) -> Vec<String> {
    let load = &scenario.load;
    [
        pause(measured),
        busy(measured),
        late(load, measured),
        waited(measured),
        unsent(scenario, measured),
    ]
    .into_iter()
    .flatten()
    .chain(faults(measured))
    .collect()
}

/// A connection that the generator could not open is no failure of the service and was no load on it either.
/// One such request is enough to doubt a run.
fn faults(measured: &Measured) -> impl Iterator<Item = String> {
    measured.generator.faults.iter().map(|(fault, count)| {
        let remedy = match fault {
            Fault::NoLocalPort => {
                "keep connections open (no --no-keepalive), widen net.ipv4.ip_local_port_range, or send from more machines and `vas test merge` the runs"
            }
            Fault::TooManyFiles => {
                "raise the limit of open files (ulimit -n), or lower --max-connections"
            }
        };
        let requests = if *count == 1 { "request" } else { "requests" };
        format!("the load generator could not connect for {count} {requests}: {fault}; {remedy}")
    })
}

fn pause(measured: &Measured) -> Option<String> {
    let pause = measured.generator.longest_pause;
    (pause > PAUSE).then(|| {
        format!(
            "the load generator stood still for {pause:.2} s: it was stopped, or starved of processors; run it where it is alone"
        )
    })
}

fn busy(measured: &Measured) -> Option<String> {
    let share = measured.generator.cpu_share?;
    (share > BUSY).then(|| {
        format!(
            "the load generator used {} of its processors (more than {}); send less, or from more machines and `vas test merge` the runs",
            in_percent(share),
            in_percent(BUSY)
        )
    })
}

/// Only the open model has a schedule that can be missed.
fn late(load: &Load, measured: &Measured) -> Option<String> {
    if !load.has_schedule() {
        return None;
    }
    let late = measured.schedule_error.quantile(0.99)?;
    let latency = measured.total.latency.quantile(0.99)?;
    // A late request adds its delay to its latency: 20 ms matter for a p99 of 50 ms, and not for one of 2 s.
    (late > LATE && late.as_secs_f64() > LATE_SHARE * latency.as_secs_f64())
        .then(|| {
            format!(
                "one request in a hundred was sent {} or more after it was due, of a p99 of {}; send less, use --threads, or --precise",
                short(late),
                short(latency)
            )
        })
}

fn waited(measured: &Measured) -> Option<String> {
    let generator = &measured.generator;
    let share = ratio(generator.waited_for_connection, measured.total.due.max(1));
    (share > WAITED).then(|| {
        format!(
            "{} of the requests waited because all {} connections that the generator may have were in use (over HTTP/2: had all the streams that the server allows); raise the limit of open files (ulimit -n), or --max-connections",
            in_percent(share),
            generator.connections_limit
        )
    })
}

fn unsent(scenario: &Scenario, measured: &Measured) -> Option<String> {
    // Each load is a whole number of journeys for itself, of which this process begins its part.
    let lanes = scenario.lanes().into_iter();
    let open = lanes.filter(|lane| lane.model == Model::Open);
    let due = open.map(|lane| scenario.part.share(lane.profile.due_before(measured.planned)));
    let planned: u64 = due.sum();
    let due = measured.total.due;
    // A run that was ended early has begun fewer journeys on purpose.
    let missing = measured.end == End::Completed && ratio(due, planned.max(1)) < DUE;
    missing.then(|| format!("{due} of {planned} planned journeys were begun"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::testing::{measured, requests},
        scenario::{
            part::Part,
            quick::{Level, scenario},
        },
    };

    fn open() -> Scenario {
        scenario(Level::Rate(10.0), Duration::from_secs(10), false, Vec::new())
    }

    fn words(measured: &Measured) -> String {
        doubts(&open(), measured).join("; ")
    }

    #[test]
    fn a_generator_with_an_easy_time_leaves_no_doubt_whatever_the_service_did() {
        assert_eq!(words(&measured(requests(98, 2))), "");
        assert_eq!(words(&measured(requests(0, 100))), "");
    }

    #[test]
    fn each_way_to_be_the_bottleneck_is_named() {
        let easy = || measured(requests(100, 0));
        let mut paused = easy();
        paused.generator.longest_pause = 1.0;
        assert!(words(&paused).contains("stood still for 1.00 s"));
        let mut busy = easy();
        busy.generator.cpu_share = Some(0.825);
        assert!(
            words(&busy).contains("82.5% of its processors"),
            "{}",
            words(&busy)
        );
        let mut late = easy();
        late.schedule_error.clear();
        late.schedule_error.record(Duration::from_millis(150));
        assert!(
            words(&late).contains("sent 150ms or more after"),
            "{}",
            words(&late)
        );
        let mut waited = easy();
        waited.generator.waited_for_connection = 2;
        assert!(words(&waited).contains("all 1000 connections"));
        let mut starved = easy();
        starved.generator.faults = [(Fault::NoLocalPort, 1), (Fault::TooManyFiles, 7)].into();
        let said = words(&starved);
        assert!(
            said.contains("for 1 request: no free local port; keep")
                && said.contains("for 7 requests: too many open files; raise"),
            "{said}"
        );
        let mut unsent = easy();
        unsent.total.due = 90;
        assert!(words(&unsent).contains("90 of 100 planned"));
    }

    #[test]
    fn a_part_of_a_load_has_its_part_of_the_journeys() {
        let mut of_three = open();
        // Of 100 journeys, the last of three parts has 33.
        of_three.part = Part::new(2, 3).unwrap();
        for (due, said) in [(33, ""), (32, "32 of 33 planned journeys were begun")] {
            let mut part = measured(requests(33, 0));
            part.total.due = due;
            assert_eq!(doubts(&of_three, &part).join("; "), said);
        }
    }

    #[test]
    fn a_late_request_of_a_slow_service_and_a_run_ended_early_are_no_doubts() {
        let mut late = measured(requests(100, 0));
        late.schedule_error.clear();
        late.schedule_error.record(Duration::from_millis(50));
        assert_eq!(words(&late), "");
        let mut ended = measured(requests(10, 0));
        ended.end = End::Interrupted;
        assert_eq!(words(&ended), "");
    }
}
