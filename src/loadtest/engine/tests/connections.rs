//! The way in which real servers end connections must not become failures or latencies of the service.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::net::TcpListener;

use super::{
    Running, Settings, begin, begin_with, get, habits::Habit, post, rate, scenario, server::Server, target,
};
use crate::{
    engine::Sharing,
    http::{Protocol, Resolve},
    model::measured::{Measured, Requests},
    scenario::{
        model::{Action, Load, Scenario, Think},
        rate::Profile,
    },
};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn finished(running: Running) -> Measured {
    tokio::time::timeout(60 * SECOND, running.finish())
        .await
        .expect("the run ends")
        .unwrap()
}

pub(super) async fn measure(habit: &Habit, protocol: Protocol, load: Load, action: Action) -> Measured {
    let target = target(&habit.url, protocol, None);
    finished(begin(scenario(load, vec![action]), &target)).await
}

pub(super) fn users(count: f64, length: Duration) -> Load {
    Load::Closed(Profile::constant(count, length))
}

fn thinking(mut scenario: Scenario, think: Duration) -> Scenario {
    scenario.journeys[0].think = Think {
        min: think,
        max: think,
    };
    scenario
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_that_end_as_the_next_request_comes_are_no_failures() {
    let habit = Habit::short_keep_alive().await;
    let measured = measure(&habit, Protocol::Http1, rate(50.0, 2 * SECOND), get("/")).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    // Each connection serves one request, so the other requests were sent twice.
    let Requests {
        answered, retried, ..
    } = measured.total;
    assert!(
        answered == 100 && (20..100).contains(&retried),
        "{answered} {retried}"
    );
    let by_second: u64 = measured.seconds.iter().map(|second| second.retried).sum();
    assert_eq!(by_second, retried);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_been_done_is_not_asked_for_again() {
    let habit = Habit::short_keep_alive().await;
    let measured = measure(&habit, Protocol::Http1, rate(50.0, SECOND), post("/")).await;
    assert!(measured.total.failed() > 5, "{}", measured.total.answered);
    assert_eq!(measured.total.retried, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_ends_in_its_head_has_failed() {
    let habit = Habit::torn_answers().await;
    let measured = measure(&habit, Protocol::Http1, rate(50.0, SECOND), get("/")).await;
    assert!(measured.total.failed() > 5, "{}", measured.total.answered);
    assert_eq!(measured.total.retried, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_under_way_in_a_server_that_is_killed_has_failed() {
    const USERS: u64 = 10;
    let habit = Habit::killed_after(2 * SECOND).await;
    let load = thinking(scenario(users(10.0, 3 * SECOND), vec![get("/")]), SECOND / 5);
    let measured = finished(begin(load, &target(&habit.url, Protocol::Http1, None))).await;
    let failures = &measured.total.failures;
    let lost = failures
        .iter()
        .filter(|(cause, _)| cause.starts_with("connection:"));
    assert_eq!(lost.map(|(_, count)| count).sum::<u64>(), USERS, "{failures:?}");
    assert_eq!(measured.total.retried, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_a_server_says_it_never_looked_at_are_sent_again_whatever_the_method() {
    for habit in [Habit::going_away().await, Habit::refusing().await] {
        let measured = measure(&habit, Protocol::Http2, users(2.0, SECOND / 2), post("/")).await;
        assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
        assert!(measured.total.answered > 2, "{}", measured.total.answered);
        // Each of the two users may have had a stream under way when the server declined.
        assert!(
            (1..=2).contains(&measured.total.retried),
            "{}",
            measured.total.retried
        );
        // The server reads what was sent on a connection to its end, perhaps after the run.
        let all_read = async {
            while habit.seen(|seen| seen.declined) < measured.total.retried {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(10 * SECOND, all_read).await.unwrap();
        assert_eq!(habit.seen(|seen| seen.declined), measured.total.retried);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_who_come_at_once_share_one_http2_connection_from_the_first_moment() {
    let habit = Habit::http2(SECOND / 20, None).await;
    let measured = measure(&habit, Protocol::Http2, users(30.0, SECOND), get("/")).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert_eq!(habit.seen(|seen| seen.connections), 1);
    assert_eq!(measured.generator.connections, 1);
    assert_eq!(measured.generator.waited_for_connection, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_who_come_at_once_share_one_tls_connection_while_it_is_agreed_on() {
    let server = Server::tls(SECOND / 3).await;
    let target = target(&server.url, Protocol::Http2, Some(&server.ca));
    let measured = finished(begin(scenario(users(30.0, SECOND), vec![get("/")]), &target)).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert!(measured.total.answered >= 30, "{}", measured.total.answered);
    assert_eq!(measured.generator.connections, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_for_a_stream_is_a_wait_for_a_connection() {
    let habit = Habit::http2(SECOND / 10, Some(5)).await;
    let target = target(&habit.url, Protocol::Http2, None);
    let settings = Settings {
        max_connections: Some(1),
        ..Settings::default()
    };
    let load = scenario(users(30.0, 2 * SECOND), vec![get("/")]);
    let measured = finished(begin_with(load, &target, settings)).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert_eq!(habit.seen(|seen| (seen.connections, seen.under_way.1)), (1, 5));
    let waited = measured.generator.waited_for_connection;
    assert!(waited >= 25, "{waited}");
    let latency = measured.total.latency.quantile(0.5).unwrap();
    let service_time = measured.total.service_time.quantile(0.5).unwrap();
    assert!(2 * service_time < latency, "{service_time:?} {latency:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_opened_for_as_many_streams_as_the_server_allows() {
    let habit = Habit::http2(SECOND / 10, Some(5)).await;
    let measured = measure(&habit, Protocol::Http2, users(30.0, SECOND), get("/")).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert_eq!(habit.seen(|seen| (seen.connections, seen.under_way.1)), (6, 30));
}

/// A busy machine may disturb one run; a real fault shows in all runs.
const RUNS: usize = 4;

/// Twenty users who come one after another and name themselves.
async fn twenty_users(habit: &Habit, protocol: Protocol, settings: Settings) {
    let mut profile = Profile::default();
    profile.line(0.0, 20.0, SECOND);
    profile.line(20.0, 20.0, SECOND);
    let load = thinking(
        scenario(Load::Closed(profile), vec![get("/{{user}}")]),
        SECOND / 10,
    );
    let target = target(&habit.url, protocol, None);
    let measured = finished(begin_with(load, &target, settings)).await;
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
}

/// The number of connections, and the most users on one of them.
fn connections_and_users(habit: &Habit) -> (usize, usize) {
    habit.seen(|seen| {
        let users = seen.paths.values().map(std::collections::BTreeSet::len);
        (seen.connections, users.max().unwrap_or(0))
    })
}

fn sharing(sharing: Sharing) -> Settings {
    Settings {
        sharing,
        ..Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_has_a_connection_of_its_own_where_users_usually_have() {
    let http1 = Habit::prompt().await;
    twenty_users(&http1, Protocol::Http1, Settings::default()).await;
    assert_eq!(connections_and_users(&http1), (20, 1));
    let http2 = Habit::http2(Duration::ZERO, None).await;
    twenty_users(&http2, Protocol::Http2, Settings::default()).await;
    assert_eq!(connections_and_users(&http2), (1, 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_share_connections_or_have_their_own_as_they_are_told() {
    // On a busy machine all twenty may be under way at one moment, and then each needs a connection.
    let mut fewest = 20;
    for _ in 0..RUNS {
        let http1 = Habit::prompt().await;
        twenty_users(&http1, Protocol::Http1, sharing(Sharing::Shared)).await;
        let (connections, users) = connections_and_users(&http1);
        assert!(users > 1, "{connections} {users}");
        fewest = fewest.min(connections);
        if fewest < 20 {
            break;
        }
    }
    assert!(fewest < 20, "twenty connections in each of {RUNS} runs");
    let http2 = Habit::http2(Duration::ZERO, None).await;
    twenty_users(&http2, Protocol::Http2, sharing(Sharing::PerUser)).await;
    assert_eq!(connections_and_users(&http2), (20, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fewer_connections_than_users_are_shared_and_never_more() {
    for (protocol, habit) in [
        (Protocol::Http1, Habit::prompt().await),
        (Protocol::Http2, Habit::http2(Duration::ZERO, Some(2)).await),
    ] {
        let settings = Settings {
            max_connections: Some(3),
            threads: Some(8),
            sharing: Sharing::PerUser,
            ..Settings::default()
        };
        twenty_users(&habit, protocol, settings).await;
        let (connections, users) = connections_and_users(&habit);
        assert!(
            connections == 3 && users > 1,
            "{protocol:?} {connections} {users}"
        );
    }
}

/// One name with two addresses, one of each family.
#[derive(Debug, Default)]
struct Both(AtomicUsize);

impl Resolve for Both {
    fn resolve(&self, _: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let both = [
            SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
        ];
        Box::pin(std::future::ready(Ok(both.to_vec())))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_addresses_of_a_name_are_used_in_turn_and_it_is_resolved_once() {
    let ipv4 = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = ipv4.local_addr().unwrap().port();
    let ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.unwrap();
    let (ipv4, ipv6) = (Habit::prompt_on(ipv4), Habit::prompt_on(ipv6));
    let both = Arc::new(Both::default());
    let mut target = target(&format!("http://api:{port}"), Protocol::Http1, None);
    target.resolver = both.clone();
    target.fresh_connections = true;
    let measured = finished(begin(scenario(rate(40.0, SECOND), vec![get("/")]), &target)).await;
    assert_eq!(measured.total.answered, 40, "{:?}", measured.total.failures);
    let connections = [&ipv4, &ipv6].map(|habit| habit.seen(|seen| seen.connections));
    assert_eq!(connections, [20, 20]);
    assert_eq!(both.0.load(Ordering::Relaxed), 1);
}
