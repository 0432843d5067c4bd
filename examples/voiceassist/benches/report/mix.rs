//! The report's mix of users, with and without the cache: what the database does, and which tier answers. And the most that the
//! cache answers.

use std::collections::BTreeMap;

use crate::{
    arguments::Size,
    load::{self, Request},
    samples::{means, samples},
    support::{Process, database_url, memory},
    usage::processor_seconds,
    world::{INDEXED, Off, World},
};

/// What a run of the scenario `mixed` found.
#[derive(Debug)]
pub(crate) struct Mix {
    pub(crate) cache: bool,
    pub(crate) requests: f64,
    pub(crate) errors: f64,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    /// Seconds of processor time for each second.
    pub(crate) database_cpu: f64,
    /// Memory of the gateway at its end, in bytes.
    pub(crate) memory: u64,
    /// Memory that Redis has for values, in bytes.
    pub(crate) redis: u64,
    /// Percent of lookups that a tier answered, by cache and tier.
    pub(crate) hits: BTreeMap<String, f64>,
    /// Seconds of an operation, by tier and operation.
    pub(crate) operations: BTreeMap<String, f64>,
}

/// The most requests for the flags that a gateway answers from memory in a second, by 50 users who do not think.
pub(crate) async fn most(world: &World, size: Size) -> Option<f64> {
    let gateway = world.gateway(&[], &[]).await;
    let [token, _] = world.tokens(&gateway).await;
    let request = Request {
        step: "{name: it, get: /api/feature-flags}".to_owned(),
        token,
    };
    let scenario = async || load::scenario(&gateway, &request, 50, size.seconds, "think: 0s").await;
    let report = load::valid(scenario).await?;
    let answered = report["steps"]["it"]["answered"].as_f64()?;
    Some(answered / f64::from(size.seconds))
}

/// The mix with the cache and without it; nothing where each attempt was INVALID.
pub(crate) async fn measure(world: &World, size: Size) -> Vec<Mix> {
    let mut found = Vec::new();
    for cache in [true, false] {
        // Each attempt has a gateway of its own, whose hit rates and memory are those of this attempt.
        if let Some(mix) = load::valid(async || run(world, size, cache).await).await {
            eprintln!("bench: {mix:?}");
            found.push(mix);
        }
    }
    found
}

/// One run; nothing if it is INVALID.
async fn run(world: &World, size: Size, cache: bool) -> Option<Mix> {
    let off: &[Off] = if cache { &[] } else { &[Off::Cache] };
    // A pause of a busy Redis is not what is measured.
    let gateway = world.gateway(off, &["--redis-timeout", "200ms"]).await;
    let database = database_url(world.postgres.port, INDEXED);
    let _worker = Process::worker(&database, &[]).await;
    let (before, began) = (processor_seconds(&world.postgres), std::time::Instant::now());
    let report = load::report(&gateway, &["mixed", "--scale", size.mix]).await?;
    let used = (processor_seconds(&world.postgres) - before) / began.elapsed().as_secs_f64();
    let summary = &report["summary"];
    let (_, metrics) = gateway.operations("/metrics").await.unwrap();
    Some(Mix {
        cache,
        requests: summary["requests"].as_f64()?,
        errors: summary["errors"].as_f64()?,
        p50: summary["latency"]["p50"].as_f64()?,
        p95: summary["latency"]["p95"].as_f64()?,
        database_cpu: used,
        memory: gateway.memory(),
        redis: memory(world.redis.redis_process().expect("Redis runs")),
        hits: samples(&metrics, "voiceassist_cache_hit_rate_percent"),
        operations: means(&metrics, "voiceassist_cache_operation_duration_seconds"),
    })
}
