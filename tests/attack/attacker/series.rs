//! Series with the attacker's namespace: for as many pods as a large service has, under the metric names that
//! others use, with values that no metric should have.

use std::{sync::Arc, time::Duration};

use super::NAMESPACE;
use crate::innocent::GAUGE;
use support::{exporter::Exporter, prometheus::Prometheus};

/// Name of a counter that many pods have.
pub(super) const COUNTER: &str = "attack_requests_total";
/// Number of those pods.
const PODS: usize = 1000;

/// A scrape target of the attacker.
#[derive(Clone)]
pub(super) struct Series(Arc<Exporter>);

impl Series {
    /// Starts the scrape target.
    pub(super) async fn start(prometheus: &Prometheus) -> Self {
        let exporter = Exporter::start().await;
        for pod in 0..PODS {
            exporter.set(
                COUNTER,
                &[("namespace", NAMESPACE), ("pod", &format!("pawn-{pod}"))],
                0.0,
            );
        }
        prometheus.register_every("attacker", &exporter.target(), "5s");
        Self(Arc::new(exporter))
    }

    /// Changes values all the time.
    pub(super) async fn change(self) {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, f64::MAX, 5e-324];
        for value in odd.into_iter().cycle() {
            for pod in 0..PODS {
                self.0.add(
                    COUNTER,
                    &[("namespace", NAMESPACE), ("pod", &format!("pawn-{pod}"))],
                    1e12,
                );
            }
            self.0
                .set(GAUGE, &[("namespace", NAMESPACE), ("queue", "theirs")], value);
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }
}
