//! The cache over a real Redis: what one gateway changes another sees, and a Redis that is away or slow stops nobody.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use prometheus_client::registry::Registry;
use rustix::process::Signal;
use serde_json::json;
use voiceassist::cache::{Cache, Subject};

use crate::support::{Server, Stack, until};

static VALUES: Subject = Subject {
    expensive: true,
    ..Subject::new("values")
};

fn cache(redis: Option<&Server>) -> Cache {
    let url = redis.map(url);
    // A busy machine connects slowly.
    let patient = Duration::from_secs(5);
    Cache::register(&mut Registry::default(), url.as_deref(), patient).unwrap()
}

fn url(redis: &Server) -> String {
    format!("redis://127.0.0.1:{}/", redis.port)
}

/// Asks 50 times at once; every load takes 100 ms and is counted.
async fn ask(cache: &Cache, loads: &Arc<AtomicU32>) {
    let lookups = (0..50).map(|_| {
        let loads = Arc::clone(loads);
        let load = move || {
            let loads = Arc::clone(&loads);
            async move {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok::<_, Infallible>(7)
            }
        };
        cache.cached(&VALUES, "seven").get_or_load(load)
    });
    assert_eq!(futures::future::join_all(lookups).await, vec![Ok(7); 50]);
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_loads_in_a_process_and_across_processes() {
    let alone = Arc::default();
    ask(&cache(None), &alone).await;
    assert_eq!(alone.load(Ordering::Relaxed), 1);

    let (redis, loads) = (Server::redis().await, Arc::default());
    let (one, two) = (cache(Some(&redis)), cache(Some(&redis)));
    tokio::join!(ask(&one, &loads), ask(&two, &loads));
    assert_eq!(
        loads.load(Ordering::Relaxed),
        1,
        "the second process takes it from Redis"
    );
}

#[tokio::test]
async fn a_flag_that_one_gateway_sets_is_seen_by_the_other_long_before_its_time_in_memory_is_over() {
    let (stack, redis) = (Stack::new().await, Server::redis().await);
    let url = url(&redis);
    let flags = ["--redis-url", url.as_str(), "--redis-timeout", "5s"];
    let ((_one, here), (two, there)) = tokio::join!(stack.gateway(&flags), stack.gateway(&flags));
    let (here, there) = tokio::join!(here.logged_in("admin0"), there.logged_in("user0"));
    let beta = async || there.get("/api/feature-flags").await.body["flags"]["beta"] == true;
    assert!(!beta().await);
    let hits = async || {
        two.metric("voiceassist_cache_requests_total{cache=\"flags\",tier=\"l1\",result=\"hit\"}")
            .await
    };
    assert!(hits().await >= Some(1.0), "it was in memory");
    let set = here
        .post(
            "/api/admin/feature-flags",
            &json!({"name": "beta", "enabled": true}),
        )
        .await;
    assert_eq!(set.code, 200);
    let began = Instant::now();
    until("the other gateway sees the flag", async || {
        beta().await.then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_redis_that_stands_still_or_is_away_costs_a_request_next_to_nothing() {
    let (stack, redis) = (Stack::new().await, Server::redis().await);
    let url = url(&redis);
    let (gateway, client) = stack.gateway(&["--redis-url", url.as_str()]).await;
    let user = client.logged_in("user0").await;
    let search = async |number: u32| {
        let began = Instant::now();
        let answer = user.get(&format!("/api/search?q=ibuprofen%20{number}")).await;
        assert_eq!(answer.code, 200, "{answer:?}");
        began.elapsed()
    };
    search(0).await;
    redis.signal_redis(Signal::STOP);
    let mut times = Vec::new();
    for number in 1..=20 {
        times.push(search(number).await);
    }
    times.sort();
    assert!(
        times[10] < Duration::from_millis(500) && times[19] < Duration::from_secs(2),
        "{times:?}"
    );
    let unreachable = "voiceassist_cache_requests_total{cache=\"search\",tier=\"l2\",result=\"unreachable\"}";
    assert!(gateway.metric(unreachable).await >= Some(10.0));
    redis.signal_redis(Signal::CONT);
    let hit = "voiceassist_cache_requests_total{cache=\"search\",tier=\"l2\",result=\"miss\"}";
    let before = gateway.metric(hit).await.unwrap_or_default();
    let mut number = 100;
    until("Redis is asked again", async || {
        number += 1;
        search(number).await;
        (gateway.metric(hit).await > Some(before)).then_some(())
    })
    .await;
    drop(redis);
    for number in 1000..1010 {
        search(number).await;
    }
    let ready = gateway.operations("/readyz").await.unwrap();
    assert_eq!(ready.0, 200, "an outage of Redis takes no replica out");
}

/// Sets one setting of Redis.
async fn configure(redis: &Server, setting: &str, value: &str) {
    let client = redis::Client::open(url(redis)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg(setting).arg(value);
    set.exec_async(&mut connection).await.unwrap();
}

/// A number of `INFO`.
async fn info(redis: &Server, name: &str) -> u64 {
    let client = redis::Client::open(url(redis)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let text: String = redis::cmd("INFO").query_async(&mut connection).await.unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}:")));
    line.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_redis_that_is_full_gives_up_what_was_not_used_for_longest_and_one_that_may_not_stops_nobody() {
    let (stack, redis) = (Stack::new().await, Server::redis().await);
    let url = url(&redis);
    let flags = ["--redis-url", url.as_str(), "--redis-timeout", "5s"];
    let (gateway, client) = stack.gateway(&flags).await;
    let user = client.logged_in("user0").await;
    let mut number = 0;
    let mut search = async || {
        number += 1;
        let answer = user.get(&format!("/api/search?q=ibuprofen%20{number}")).await;
        assert_eq!(answer.code, 200, "{answer:?}");
    };
    let most = info(&redis, "used_memory").await + 200_000;
    configure(&redis, "maxmemory", &most.to_string()).await;
    until("Redis is full", async || {
        search().await;
        (info(&redis, "evicted_keys").await > 100).then_some(())
    })
    .await;
    assert!(info(&redis, "used_memory").await < most + 100_000);
    let unreachable = "voiceassist_cache_requests_total{cache=\"search\",tier=\"l2\",result=\"unreachable\"}";
    assert_eq!(gateway.metric(unreachable).await, None, "to evict is no fault");

    configure(&redis, "maxmemory-policy", "noeviction").await;
    configure(&redis, "maxmemory", "1mb").await;
    until("Redis is left alone", async || {
        search().await;
        (gateway.metric(unreachable).await >= Some(10.0)).then_some(())
    })
    .await;
    let said = gateway.log();
    let words = |line: &&String| line.contains("Redis is left alone") && line.contains("maxmemory");
    assert!(said.iter().any(|line| words(&line)), "it says so, and why");
}
