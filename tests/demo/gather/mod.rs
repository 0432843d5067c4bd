//! Converts what Kubernetes and Prometheus say into the types of the oracle.

mod feeds;
mod hpa;
mod pods;
mod queries;
mod syncs;
mod young;

pub(crate) use self::{
    feeds::{Outage, prometheus_feed, usage_feed},
    hpa::{hpa, hpa_status},
    pods::{pod, usage},
    queries::{Asked, RATE_WINDOW, Series, births, instant, newest, readings},
    syncs::{HPA_CONTROLLER, scale_writers, syncs},
};

/// A quantity in milli-units, rounded up as the HPA controller does.
pub(crate) fn milli(quantity: &str) -> Option<i64> {
    let amount = vas_core::k8s::quantity::parse_str(quantity).ok()?;
    i64::try_from(amount.milli_ceil()).ok()
}

/// Converts milli-units to units, for display.
#[expect(clippy::cast_precision_loss, reason = "to be shown")]
pub(crate) fn units(milli: i64) -> f64 {
    milli as f64 / 1000.0
}
