//! Servers whose exact latencies are known: the reports must show these, for constant and ramping rates.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    clock::RunClock,
    engine::{self, Settings},
    http::{Protocol, Target, TlsOptions},
    model::{latencies::Latencies, measured::Measured},
    scenario::{
        model::{Load, Scenario},
        quick::{Level, scenario},
        rate::Profile,
    },
};
use tokio::net::TcpListener;

use support::service::Server;

/// Seconds by which a busy machine may delay an answer.
const MACHINE: f64 = 0.06;
/// Number of runs, of which one has to be undisturbed.
const RUNS: usize = 6;
/// Time until all threads have started.
const LEAD: Duration = Duration::from_secs(1);

pub(super) fn target(url: &str, protocol: Protocol) -> Target {
    Target::parse(url, protocol, &TlsOptions::default(), Path::new("")).expect("a target")
}

/// The time axis of a run that begins soon. Waits for the turn of the test first, so that the run can begin when
/// the time axis says so.
fn clock() -> RunClock {
    support::turn::wait();
    RunClock::begins_in(LEAD)
}

/// A load on `/` that begins at the clock's zero.
pub(super) async fn run(
    scenario: Scenario,
    target: &Target,
    settings: Settings,
    clock: RunClock,
) -> Measured {
    let running = engine::start(Arc::new(scenario), target, settings, clock).expect("the load starts");
    running.finish().await.expect("no thread is lost")
}

fn open(profile: Profile) -> Scenario {
    let mut scenario = scenario(Level::Rate(1.0), Duration::from_secs(1), false, Vec::new());
    scenario.load = Load::Open(profile);
    scenario
}

/// A run of five seconds on a server that holds all answers in its second second.
async fn stalled(profile: Profile, settings: Settings) -> Measured {
    let clock = clock();
    let second = Duration::from_secs(1);
    let stall = (clock.zero() + second, clock.zero() + 2 * second);
    let server = Server::start(Some(stall)).await;
    run(
        open(profile),
        &target(&server.url(), Protocol::Http1),
        settings,
        clock,
    )
    .await
}

/// An error that names the first quantile which differs from the exact value.
fn quantiles(latencies: &Latencies, exact: &[(f64, f64)]) -> Result<(), String> {
    for (share, seconds) in exact {
        let measured = latencies.quantile(*share).ok_or("no answers")?.as_secs_f64();
        if measured < seconds - 0.01 || measured > seconds + MACHINE {
            let percentile = share * 100.0;
            return Err(format!("p{percentile} is {measured} s and must be {seconds} s"));
        }
    }
    Ok(())
}

/// Repeats a run until `holds` is true. Disturbance by a busy machine differs from run to run; a wrong figure
/// is wrong in all of them.
async fn some_run(settings: Settings, profile: &Profile, holds: impl Fn(&Measured) -> Result<(), String>) {
    let mut last = Ok(());
    for _ in 0..RUNS {
        last = holds(&stalled(profile.clone(), settings).await);
        if last.is_ok() {
            return;
        }
    }
    panic!(
        "in none of {RUNS} runs, in the last because {}",
        last.unwrap_err()
    );
}

fn require(holds: bool, what: impl std::fmt::Debug) -> Result<(), String> {
    holds.then_some(()).ok_or_else(|| format!("{what:?}"))
}

/// 200 of 1,000 requests are due in the stall of one second and wait for its end. The quantile `q` is
/// therefore `1 - 5 (1 - q)` seconds from `q` = 0.8 on.
const CONSTANT: [(f64, f64); 5] = [(0.5, 0.0), (0.9, 0.5), (0.95, 0.75), (0.99, 0.95), (1.0, 1.0)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_at_a_constant_rate_is_reported_as_long_as_it_was_for_each_request() {
    let profile = Profile::constant(200.0, Duration::from_secs(5));
    some_run(Settings::default(), &profile, |measured| {
        let total = &measured.total;
        require((total.due, total.answered) == (1000, 1000), &total.failures)?;
        quantiles(&total.latency, &CONSTANT)?;
        // The wait shows in the second in which the requests were answered.
        let longest = |at: usize| measured.seconds[at].latency.map(|latency| latency.max.as_secs_f64());
        let seen = (longest(0), longest(2), longest(3));
        require(
            matches!(seen, (Some(before), Some(in_it), Some(after)) if before < MACHINE && in_it > 0.9 && after < MACHINE),
            seen,
        )
    })
    .await;
}

/// From 0 to 200 per second in five seconds: `20 t^2` of 500 requests are due by `t`. Those that wait for
/// longer than `x` are due between 1 and `2 - x`, so the quantile `q` is `2 - sqrt(1 + 25 (1 - q))`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_on_a_ramp_is_reported_as_long_as_it_was_for_each_request() {
    let mut profile = Profile::default();
    profile.line(0.0, 200.0, Duration::from_secs(5));
    let exact = |share: f64| (share, 2.0 - (1.0 + 25.0 * (1.0 - share)).sqrt());
    let exact = [(0.5, 0.0), exact(0.9), exact(0.95), exact(0.99), exact(1.0)];
    some_run(Settings::default(), &profile, |measured| {
        let total = &measured.total;
        require((total.due, total.answered) == (500, 500), &total.failures)?;
        quantiles(&total.latency, &exact)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_connection_the_service_time_hides_the_stall_and_the_latency_does_not() {
    let profile = Profile::constant(200.0, Duration::from_secs(5));
    let settings = Settings {
        max_connections: Some(1),
        ..Settings::default()
    };
    some_run(settings, &profile, |measured| {
        let total = &measured.total;
        require(total.answered == 1000, &total.failures)?;
        // While the queue behind the stall drains, every request waits longer than for the stall alone.
        for (share, seconds) in CONSTANT {
            let latency = total.latency.quantile(share).ok_or("no answers")?.as_secs_f64();
            require(latency >= seconds - 0.01, (share, latency))?;
        }
        quantiles(&total.service_time, &[(0.5, 0.0), (0.99, 0.0), (1.0, 1.0)])?;
        require(
            measured.generator.waited_for_connection > 150,
            &measured.generator,
        )
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_connections_are_errors_of_the_second_in_which_they_were_due() {
    let clock = clock();
    let server = Server::start(None).await;
    let address = server.address;
    let mut target = target(&server.url(), Protocol::Http1);
    target.fresh_connections = true;
    let load = open(Profile::constant(100.0, Duration::from_secs(3)));
    let running = tokio::spawn(async move { run(load, &target, Settings::default(), clock).await });
    tokio::time::sleep_until((clock.zero() + Duration::from_secs(1)).into()).await;
    drop(server);
    tokio::time::sleep_until((clock.zero() + Duration::from_secs(2)).into()).await;
    let listener = TcpListener::bind(address).await.expect("its port again");
    let _server = Server::on(listener, None);
    let measured = running.await.expect("the load ends");
    let failed: Vec<u64> = measured.seconds.iter().map(|second| second.failed).collect();
    let about = |count: u64, wanted: u64| count.abs_diff(wanted) <= 25;
    assert!(
        about(failed[0], 0) && about(failed[1], 100) && about(failed[2], 0),
        "{failed:?}"
    );
    assert_eq!(measured.total.due, 300);
    assert_eq!(measured.total.answered + measured.total.failed(), 300);
    assert!(
        measured
            .total
            .failures
            .keys()
            .all(|cause| cause.starts_with("cannot connect: ") || cause.starts_with("connection: ")),
        "{:?}",
        measured.total.failures
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_reach_the_server_when_they_are_due() {
    let clock = clock();
    let server = Server::start(None).await;
    let profile = Profile::constant(100.0, Duration::from_secs(2));
    let due: Vec<Duration> = profile.moments(0, 1).collect();
    run(
        open(profile),
        &target(&server.url(), Protocol::Http1),
        Settings::default(),
        clock,
    )
    .await;
    let mut asked = server.asked();
    asked.sort();
    assert_eq!(asked.len(), due.len());
    let mut late: Vec<f64> = asked
        .iter()
        .zip(&due)
        .map(|(asked, due)| asked.duration_since(clock.zero()).as_secs_f64() - due.as_secs_f64())
        .collect();
    late.sort_by(f64::total_cmp);
    // No request is sent too early, and half of them are sent soon, however busy the machine is.
    assert!(
        late[0] >= 0.0 && late[late.len() / 2] < 0.02,
        "{:?}",
        &late[late.len() / 2..]
    );
}
