//! Reads the configuration again when it changes. The files are compared by content every few seconds,
//! because Secret and ConfigMap volumes swap them unnoticed; SIGHUP makes the check happen at once.
//!
//! A file that cannot be read or is wrong changes nothing: the servers stay as they are, and log and metrics
//! report the error.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use jiff::Timestamp;
use prometheus_client::{metrics::gauge::Gauge, registry::Registry as MetricsRegistry};
use tokio::signal::unix::{SignalKind, signal};

use crate::metrics::{registry::Registry, watches::Synced};
use vas_cluster::{clock::Clock, telemetry::families::register};
use vas_core::monitoring::families::metrics_server as families;
use vas_prometheus::{
    config::{ConfigError, ConfigFile, Configuration, load::Loaded},
    servers::Servers,
};

/// Time between two checks of the files.
const PERIOD: Duration = Duration::from_secs(5);

/// The outcome of the latest reload, in the form in which Prometheus reports its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReloadMetrics {
    successful: Gauge,
    succeeded: Gauge<f64, AtomicU64>,
    hash: Gauge,
}

impl ReloadMetrics {
    /// Registers the metrics.
    pub(crate) fn new(registry: &mut MetricsRegistry) -> Self {
        let metrics = Self::default();
        register(
            registry,
            families::CONFIG_RELOAD_SUCCESSFUL,
            metrics.successful.clone(),
        );
        register(registry, families::CONFIG_RELOADED, metrics.succeeded.clone());
        register(registry, families::CONFIG_HASH, metrics.hash.clone());
        metrics
    }

    fn loaded(&self, success: bool, hash: Option<u64>, now: Timestamp) {
        self.successful.set(success.into());
        if success {
            self.succeeded.set(now.as_duration().as_secs_f64());
        }
        if let Some(hash) = hash.and_then(|hash| i64::try_from(hash).ok()) {
            self.hash.set(hash);
        }
    }
}

/// Follows a configuration file and its Secret files.
pub(crate) struct Reloader {
    file: ConfigFile,
    latest: Result<Loaded, ConfigError>,
    servers: Arc<Servers>,
    registry: Arc<Registry>,
    changed: Arc<Synced>,
    metrics: ReloadMetrics,
    clock: Arc<dyn Clock>,
}

impl Reloader {
    /// Keeps the servers of a configuration up to date; `None` if they come from flags. `changed` is notified
    /// when the registry was planned anew.
    pub(crate) fn of(
        configuration: &Configuration,
        registry: Arc<Registry>,
        changed: Arc<Synced>,
        metrics: ReloadMetrics,
        clock: Arc<dyn Clock>,
    ) -> Option<Self> {
        let hash = configuration.origin.as_ref().map(|(_, loaded)| loaded.hash);
        metrics.loaded(true, hash, clock.now());
        let (file, loaded) = configuration.origin.clone()?;
        Some(Self {
            file,
            latest: Ok(loaded),
            servers: configuration.servers.clone(),
            registry,
            changed,
            metrics,
            clock,
        })
    }

    /// Follows the files for ever.
    pub(crate) async fn run(mut self) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        loop {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                _ = hung_up => {}
            }
            let file = self.file.clone();
            // Reading may block for long on a network volume.
            let loaded = tokio::task::spawn_blocking(move || file.load()).await;
            if let Ok(loaded) = loaded {
                self.take_in(loaded).await;
            }
        }
    }

    async fn take_in(&mut self, loaded: Result<Loaded, ConfigError>) {
        // An error is compared too, so that a wrong file is logged once and not every 5 s.
        let is_known = match (&self.latest, &loaded) {
            (Ok(before), Ok(now)) => before == now,
            (Err(before), Err(now)) => before == now,
            _ => false,
        };
        if is_known {
            return;
        }
        let outcome = match &loaded {
            Ok(loaded) => self.apply(loaded).await,
            Err(error) => Err(error.clone()),
        };
        self.latest = loaded;
        let hash = self.latest.as_ref().ok().map(|loaded| loaded.hash);
        self.metrics.loaded(outcome.is_ok(), hash, self.clock.now());
        match outcome {
            Ok(()) => tracing::info!("the configuration was read again"),
            Err(error) => tracing::error!(%error, "the configuration stays as it was where it is wrong now"),
        }
    }

    async fn apply(&self, loaded: &Loaded) -> Result<(), ConfigError> {
        let before = self.servers.sources();
        let problems = loaded.apply(&self.servers);
        let after = self.servers.sources();
        if before != after {
            let registry = self.registry.clone();
            // Planning parses all queries of all resources, so it runs on a blocking thread.
            if let Err(error) = tokio::task::spawn_blocking(move || registry.replan(after)).await {
                tracing::error!(%error, "planning the queries anew did not end");
            }
            self.changed.send_modify(|_| {});
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(self.file.error(problems))
        }
    }
}
