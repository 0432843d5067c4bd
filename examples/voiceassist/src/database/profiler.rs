//! What became of each query: by statement, by request, and in the pool.
//!
//! A request has a [`RequestProfile`] in its task ([`REQUEST`]). More than [`SIMILAR`] queries of one statement in one request
//! are the pattern N+1: a query for a list, then one for each of its rows.

use std::{cell::RefCell, collections::BTreeMap, fmt, sync::OnceLock, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};
use sqlx::PgPool;

use super::statement::Statement;

/// A query that takes longer is logged with its text, which has no values.
const SLOW: Duration = Duration::from_millis(100);

/// Queries of one statement in one request above which it counts as N+1.
const SIMILAR: u32 = 10;

/// Bounds of query times, in seconds.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

tokio::task_local! {
    /// The profile of the request that the task serves.
    pub static REQUEST: RefCell<RequestProfile>;
}

/// Queries of one request.
#[derive(Debug, Default)]
pub struct RequestProfile {
    by_statement: BTreeMap<&'static str, u32>,
    /// All queries.
    pub queries: u32,
    /// Time in which PostgreSQL worked on them, without the wait for a connection.
    pub time: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatement {
    query: &'static str,
}

/// Metrics of queries and of the pool.
#[derive(Debug)]
pub struct DatabaseMetrics {
    durations: Family<ByStatement, Histogram, fn() -> Histogram>,
    slow: Family<ByStatement, Counter>,
    n_plus_one: Family<ByStatement, Counter>,
    wait: Histogram,
    pool: OnceLock<(PgPool, u32)>,
}

impl Default for DatabaseMetrics {
    fn default() -> Self {
        Self {
            durations: Family::new_with_constructor(histogram),
            slow: Family::default(),
            n_plus_one: Family::default(),
            wait: histogram(),
            pool: OnceLock::new(),
        }
    }
}

impl DatabaseMetrics {
    /// Metrics that `registry` exports.
    pub fn register(registry: &mut Registry) -> std::sync::Arc<Self> {
        let metrics = Self::default();
        registry.register(
            "voiceassist_db_query_duration_seconds",
            "Time of queries by statement, without the wait for a connection",
            metrics.durations.clone(),
        );
        registry.register(
            "voiceassist_db_slow_queries",
            "Queries of more than 100 ms by statement",
            metrics.slow.clone(),
        );
        registry.register(
            "voiceassist_db_n_plus_one_warnings",
            "Requests with more than 10 queries of one statement",
            metrics.n_plus_one.clone(),
        );
        registry.register(
            "voiceassist_db_pool_wait_seconds",
            "Time that queries waited for a connection",
            metrics.wait.clone(),
        );
        let metrics = std::sync::Arc::new(metrics);
        registry.register_collector(Box::new(PoolCollector(std::sync::Arc::clone(&metrics))));
        metrics
    }

    /// The pool to export; the first one counts.
    pub(super) fn watch(&self, pool: PgPool, size: u32) {
        let _ = self.pool.set((pool, size));
    }

    pub(super) fn waited(&self, time: Duration) {
        self.wait.observe(time.as_secs_f64());
    }

    pub(super) fn ran(&self, statement: &'static Statement, time: Duration) {
        let label = ByStatement {
            query: statement.name,
        };
        self.durations.get_or_create(&label).observe(time.as_secs_f64());
        if time > SLOW {
            self.slow.get_or_create(&label).inc();
            let sql = statement.sql.split_whitespace().collect::<Vec<_>>().join(" ");
            tracing::warn!(
                query = statement.name,
                milliseconds = time.as_millis(),
                sql,
                "slow query"
            );
        }
        let similar = REQUEST.try_with(|profile| profile.borrow_mut().add(statement.name, time));
        if similar == Ok(SIMILAR + 1) {
            self.n_plus_one.get_or_create(&label).inc();
            tracing::warn!(
                query = statement.name,
                "more than {SIMILAR} similar queries in one request"
            );
        }
    }
}

impl RequestProfile {
    /// Adds a query; returns how many of the statement there are now.
    fn add(&mut self, statement: &'static str, time: Duration) -> u32 {
        self.queries += 1;
        self.time += time;
        let similar = self.by_statement.entry(statement).or_default();
        *similar += 1;
        *similar
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

/// Reads the pool when it is scraped.
#[derive(Debug)]
struct PoolCollector(std::sync::Arc<DatabaseMetrics>);

impl Collector for PoolCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let Some((pool, size)) = self.0.pool.get() else {
            return Ok(());
        };
        let open = i64::from(pool.size());
        let idle = i64::try_from(pool.num_idle()).unwrap_or(open).min(open);
        for (name, help, value) in [
            ("size", "Connections that are kept", i64::from(*size)),
            ("in_use", "Connections that queries have now", open - idle),
            (
                "overflow",
                "Open connections beyond those that are kept",
                (open - i64::from(*size)).max(0),
            ),
        ] {
            let gauge = ConstGauge::new(value);
            let name = format!("voiceassist_db_pool_{name}");
            gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LIST: Statement = Statement::new("list", "select 1");

    #[tokio::test]
    async fn the_eleventh_similar_query_of_a_request_is_one_warning() {
        let metrics = DatabaseMetrics::register(&mut Registry::default());
        let warnings = || {
            metrics
                .n_plus_one
                .get_or_create(&ByStatement { query: "list" })
                .get()
        };
        REQUEST
            .scope(RefCell::default(), async {
                for _ in 0..10 {
                    metrics.ran(&LIST, Duration::from_millis(1));
                }
                assert_eq!(warnings(), 0);
                for _ in 0..10 {
                    metrics.ran(&LIST, Duration::from_millis(1));
                }
                assert_eq!(warnings(), 1);
                REQUEST.with(|profile| {
                    assert_eq!(profile.borrow().queries, 20);
                    assert_eq!(profile.borrow().time, Duration::from_millis(20));
                });
            })
            .await;
    }

    #[test]
    fn queries_outside_of_requests_count_by_statement_only() {
        let metrics = DatabaseMetrics::register(&mut Registry::default());
        metrics.ran(&LIST, Duration::from_millis(101));
        assert_eq!(
            metrics.slow.get_or_create(&ByStatement { query: "list" }).get(),
            1
        );
    }
}
