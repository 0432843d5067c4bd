//! `make demo`: VoiceAssist autoscaled on a real Kubernetes, told as a story.
//!
//! ```text
//! stage      cluster, Prometheus, load model, operator, metrics server, overlay
//! users      vas test run: the gateway's requests, and what users saw
//! story      quiet, ramp, outage, queue burst, quiet
//! watch      what is seen meanwhile     -> record
//! narrator   what is shown meanwhile    <- record
//! gather     record, audit log and Prometheus' samples -> oracle's evidence
//! judgement  asks the oracle for each workload
//! oracle     what the HPA may have done; shares nothing with vas
//! summary    chain of delays, what users saw, findings; decides the exit code
//! ```
//!
//! `KEEP=1` leaves everything up until Ctrl-C.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "as in the tests: a demo that cannot go on must stop, and it may look at the clock"
)]

mod chain;
mod clock;
mod findings;
mod gather;
mod judgement;
mod load;
mod narrator;
mod oracle;
mod record;
mod stage;
mod story;
mod summary;
mod table;
mod terminal;
mod users;
mod watch;
mod workload;

use std::{process::ExitCode, time::Instant};

use self::{
    clock::Clock,
    gather::Asked,
    judgement::Court,
    narrator::Narrator,
    oracle::Moment,
    record::Shared,
    stage::Stage,
    story::{Story, Teller},
    terminal::{Look, Terminal},
    workload::{NAMESPACE, SCALING, Workload},
};

#[tokio::main]
async fn main() -> ExitCode {
    let terminal = Terminal::new();
    let stop = vas_cluster::shutdown::on_signal().expect("signal handlers can be installed");
    tokio::select! {
        passed = demo(terminal) => if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE },
        () = stop.cancelled() => {
            terminal::line(&terminal.paint(Look::Yellow, "stopped"));
            ExitCode::from(130)
        }
    }
}

async fn demo(terminal: Terminal) -> bool {
    let started = Instant::now();
    let clock = Clock::start();
    let record = Shared::default();
    let mut stage = Stage::set(terminal).await;
    let (asked, window) = asked(&stage);
    let story = tell(&mut stage, terminal, clock, &record, asked, window).await;
    let court = Court {
        stage: &stage,
        clock,
        record: &record,
        story: &story,
        asked,
    };
    let passed = summary::write(terminal, &court).await;
    let (look, result) = if passed {
        (Look::Green, "the replicas did what they should")
    } else {
        (Look::Red, "the replicas did NOT do what they should")
    };
    let took = format!("{result}; {:.0} s in all", started.elapsed().as_secs_f64());
    terminal::line(&format!("\n{}", terminal.paint(look, &took)));
    if std::env::var_os("KEEP").is_some_and(|keep| keep == "1") {
        keep(&stage).await;
    }
    passed
}

async fn tell(
    stage: &mut Stage,
    terminal: Terminal,
    clock: Clock,
    record: &Shared,
    asked: Asked,
    window: Moment,
) -> Story {
    let _watches = watch::start(clock, &stage.client, &stage.load, &stage.prometheus.url(), record);
    // Waits for the first observations, so that the first row is complete.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let narrator = Narrator {
        terminal,
        clock,
        began: clock.now(),
    };
    narrator.head();
    let mut teller = Teller {
        stage,
        clock,
        record: record.clone(),
        narrator,
        asked,
        window,
    };
    tokio::select! {
        story = teller.tell() => story,
        () = narrator.follow(record.clone()) => unreachable!("the narrator never stops by itself"),
    }
}

/// The settings of the applied resource, and the longest scale-down window of its HPAs.
fn asked(stage: &Stage) -> (Asked, Moment) {
    let asked = Asked::of(&stage.get(&format!("vas/{SCALING}"))).expect("the overlay's environment");
    assert_eq!(
        gather::RATE_WINDOW,
        format!("{}s", asked.window),
        "the oracle asks for the window of the overlay"
    );
    let window = |workload: Workload| {
        let hpa = stage.get(&format!("hpa/{}", workload.hpa()));
        hpa["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"]
            .as_f64()
            .expect("vas writes the window")
    };
    let longest = Workload::ALL.map(window).into_iter().fold(0.0, f64::max);
    (asked, longest)
}

/// Waits for Ctrl-C.
async fn keep(stage: &Stage) {
    let kubeconfig = stage.cluster.kubeconfig();
    terminal::line("\nEverything stays up until Ctrl-C. In another shell:");
    terminal::line(&format!("  export KUBECONFIG={}", kubeconfig.display()));
    terminal::line(&format!("  kubectl -n {NAMESPACE} get vas,hpa,pods"));
    terminal::line(&format!(
        "  target/debug/vas test run --target {}/health --rate 900 --duration 2m",
        stage.target
    ));
    std::future::pending::<()>().await;
}
