//! A scrape target whose series a test sets.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};

type Series = BTreeMap<String, Number>;

/// The value of a series.
#[derive(Clone, Copy, Debug)]
enum Number {
    Set(f64),
    /// A counter under a constant load: the increase per second, and the moment at which it began.
    Counting(f64, Instant),
}

/// Milliseconds since 1970 that every sample carries; `None` lets Prometheus stamp them.
type Stamp = Arc<Mutex<Option<Clock>>>;

/// The moment until which scrapes fail.
type Away = Arc<Mutex<Option<Instant>>>;

/// What a scrape shows: the series, their timestamps, and whether it fails.
type Shown = (Arc<Mutex<Option<Series>>>, Stamp, Away);

/// A clock that can be stopped.
#[derive(Clone, Copy, Debug)]
enum Clock {
    Running,
    Stopped(i64),
}

/// Serves `/metrics` in the text format until dropped.
#[derive(Debug)]
pub struct Exporter {
    address: SocketAddr,
    series: Arc<Mutex<Option<Series>>>,
    stamp: Stamp,
    away: Away,
    server: tokio::task::JoinHandle<()>,
}

impl Exporter {
    pub async fn start() -> Self {
        let series = Arc::new(Mutex::new(Some(Series::new())));
        let stamp = Stamp::default();
        let away = Away::default();
        let app = Router::new().route("/metrics", get(render)).with_state((
            Arc::clone(&series),
            Arc::clone(&stamp),
            Arc::clone(&away),
        ));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self {
            address,
            series,
            stamp,
            away,
            server,
        }
    }

    /// `host:port` for a scrape configuration.
    pub fn target(&self) -> String {
        self.address.to_string()
    }

    /// Sets one series, for example `set("voiceassist_queue_depth", &[("queue", "default")], 12.0)`.
    pub fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        if let Some(series) = self.locked().as_mut() {
            series.insert(key(name, labels), Number::Set(value));
        }
    }

    /// Adds to one series: a counter.
    pub fn add(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        if let Some(series) = self.locked().as_mut() {
            let number = series.entry(key(name, labels)).or_insert(Number::Set(0.0));
            *number = Number::Set(number.now() + value);
        }
    }

    /// Makes a series a counter that rises by `per_second` from now on. A series that counts already goes on
    /// from its value.
    pub fn count(&self, name: &str, labels: &[(&str, &str)], per_second: f64) {
        if let Some(series) = self.locked().as_mut() {
            let number = Number::Counting(per_second, Instant::now());
            series.entry(key(name, labels)).or_insert(number);
        }
    }

    /// Removes one series.
    pub fn remove(&self, name: &str, labels: &[(&str, &str)]) {
        if let Some(series) = self.locked().as_mut() {
            series.remove(&key(name, labels));
        }
    }

    /// From now on scrapes fail with 500: Prometheus marks the series stale and answers without them.
    pub fn fail_scrapes(&self) {
        *self.locked() = None;
    }

    /// Makes scrapes fail for `period` from now on. After that they show the same series.
    pub fn is_away(&self, period: Duration) {
        *locked(&self.away) = Some(Instant::now() + period);
    }

    /// From now on samples carry the exporter's own time, so that Prometheus does not mark them stale.
    pub fn stamp_samples(&self) {
        *locked(&self.stamp) = Some(Clock::Running);
    }

    /// From now on samples that carry a time stay at this one: Prometheus answers, with samples that age.
    pub fn stop_clock(&self) {
        *locked(&self.stamp) = Some(Clock::Stopped(now()));
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<Series>> {
        locked(&self.series)
    }
}

impl Number {
    fn now(self) -> f64 {
        match self {
            Self::Set(value) => value,
            Self::Counting(per_second, since) => per_second * since.elapsed().as_secs_f64(),
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn key(name: &str, labels: &[(&str, &str)]) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
        .collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// The text format escapes these three and nothing else.
fn escape(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}

async fn render(State((series, stamp, away)): State<Shown>) -> Result<String, StatusCode> {
    if locked(&away).is_some_and(|until| Instant::now() < until) {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let series = locked(&series);
    let series = series.as_ref().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let stamp = match *locked(&stamp) {
        None => String::new(),
        Some(Clock::Running) => format!(" {}", now()),
        Some(Clock::Stopped(at)) => format!(" {at}"),
    };
    let lines: Vec<String> = series
        .iter()
        .map(|(key, number)| format!("{key} {}{stamp}", number.now()))
        .collect();
    Ok(lines.join("\n") + "\n")
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
