//! The HPA controller's own pattern: each URL of each workload once per 15 s, through the API server.

use std::time::Duration;

use crate::{
    adapters::Adapter,
    arguments::{Arguments, Read, Way},
    load::Samples,
    measure::{API_SERVER, Bench, Load, PROMETHEUS, SERVER},
    procfs::{self, Cpu, Memory},
    say,
};
use support::audit;

/// Time between two reads of a URL.
const PERIOD: u64 = 15;

/// Figures of one adapter under the pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub server: &'static str,
    pub workloads: usize,
    pub foreign_pods: usize,
    pub samples: Samples,
    /// CPU time, without what the processes use anyway.
    pub cpu: Cpu,
    pub reviews: usize,
    /// Further requests that the adapter sent to the API server.
    pub other_requests: usize,
    pub queries: f64,
    pub memory: Memory,
}

impl Pattern {
    /// Converts a count of this stretch to a count per minute.
    pub(crate) fn per_minute(&self, count: f64) -> f64 {
        count * 60.0 / self.samples.elapsed.as_secs_f64().max(0.001)
    }

    /// CPU seconds per minute of the server, Prometheus and the API server.
    pub(crate) fn cpu_per_minute(&self) -> [f64; 3] {
        [SERVER, PROMETHEUS, API_SERVER].map(|process| self.per_minute(self.cpu.used(process).as_secs_f64()))
    }
}

/// Plays the pattern against each adapter in turn, for two periods.
pub(crate) async fn play(
    bench: &Bench<'_>,
    arguments: &Arguments,
    workloads: usize,
    foreign_pods: usize,
) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for adapter in bench.adapters.iter().filter(|adapter| !adapter.is_floor()) {
        bench.lead_to(adapter).await;
        say(&format!(
            "the HPA's pattern: {workloads} workloads, {foreign_pods} pods of others: {}",
            adapter.name
        ));
        patterns.push(one(bench, arguments, adapter, workloads, foreign_pods).await);
        adapter.run(false);
    }
    patterns
}

async fn one(
    bench: &Bench<'_>,
    arguments: &Arguments,
    adapter: &Adapter,
    workloads: usize,
    foreign_pods: usize,
) -> Pattern {
    let paths: Vec<String> = bench
        .reads(adapter)
        .filter(|read| **read != Read::Discovery)
        .flat_map(|read| bench.paths(adapter, *read, workloads))
        .collect();
    let periods = if arguments.quick { 1 } else { 2 };
    let length = Duration::from_secs(PERIOD * periods);
    let rate = u32::try_from(paths.len().div_ceil(15)).unwrap_or(u32::MAX);
    let (since, queries) = (jiff::Timestamp::now(), bench.world.prometheus_queries().await);
    let (samples, cpu) = bench
        .stretch(adapter, Way::ApiServer, &paths, Load::Rate(rate), length)
        .await;
    let queries = bench.world.prometheus_queries().await - queries;
    let requests: Vec<_> = audit::requests(&bench.world.cluster)
        .into_iter()
        .filter(|request| request.received >= since)
        // Reads that the HPA's pattern sends are not the adapter's requests; all others are.
        .filter(|request| !request.user.username.starts_with("system:"))
        .collect();
    let reviews = requests
        .iter()
        .filter(|request| request.is_about("subjectaccessreviews"))
        .count();
    Pattern {
        server: adapter.name,
        workloads,
        foreign_pods,
        samples,
        cpu,
        reviews,
        other_requests: requests.len() - reviews,
        queries,
        memory: procfs::memory(&adapter.ids()),
    }
}
