//! Flags that both programs have. Each can be set by the environment too, as Deployments do.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;

use crate::database::{Database, DatabaseError, DatabaseMetrics, PoolLimits};

/// How to reach the database, and how many connections to it one process may have.
#[derive(Args, Clone, Debug)]
pub struct DatabaseFlags {
    /// Where PostgreSQL is: postgres://user:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Connections that are kept open
    #[arg(long, env = "POOL_SIZE", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub pool_size: u32,
    /// Connections beyond those, opened under load and closed when idle
    #[arg(long, env = "POOL_OVERFLOW", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=200))]
    pub pool_overflow: u32,
    /// Longest wait of a request for a connection; then it is answered with 503
    #[arg(long, env = "POOL_WAIT", default_value = "2s", value_parser = duration)]
    pub pool_wait: Duration,
}

impl DatabaseFlags {
    /// The pool of the process. It connects when it is first asked.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn open(&self, metrics: Arc<DatabaseMetrics>) -> Result<Database, DatabaseError> {
        let limits = PoolLimits {
            size: self.pool_size,
            overflow: self.pool_overflow,
            wait: self.pool_wait,
        };
        Database::lazy(&self.database_url, limits, metrics)
    }

    /// One more connection, for the depth of the queue alone; the metrics of the pool do not count it.
    ///
    /// # Errors
    /// If the URL is none.
    pub fn observer(&self) -> Result<Database, DatabaseError> {
        let limits = PoolLimits {
            size: 1,
            overflow: 0,
            wait: self.pool_wait,
        };
        Database::lazy(&self.database_url, limits, Arc::default())
    }
}

/// Where the process answers the kubelet and Prometheus.
#[derive(Args, Clone, Debug)]
pub struct OperationsFlags {
    /// Address of /healthz, /readyz and /metrics
    #[arg(long, env = "OPERATIONS_ADDRESS", default_value = "0.0.0.0:9090")]
    pub operations_address: SocketAddr,
}

/// A duration: `250ms`, `30s`, `5m` or `1h`.
///
/// # Errors
/// If the text is anything else.
pub fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || format!("{text:?} is no duration: write 250ms, 30s, 5m or 1h");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(milliseconds)
        .filter(|milliseconds| *milliseconds <= 30 * 24 * 3_600_000)
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is longer than 30 days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        database: DatabaseFlags,
    }

    #[test]
    fn a_request_waits_two_seconds_for_a_connection_unless_a_flag_says_otherwise() {
        use clap::Parser as _;
        let flags = Flags::parse_from([
            "api-gateway",
            "--database-url",
            "postgres://localhost/voiceassist",
        ]);
        assert_eq!(flags.database.pool_wait, Duration::from_secs(2));
    }

    #[test]
    fn durations_have_a_unit_and_a_bound() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        for wrong in ["", "5", "s", "-1s", "5d", "99999h", "18446744073709551615h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
