//! The checks of `vas doctor`, one subject per file. Each is a pure function of what was read.

pub(super) mod api_server;
pub mod api_services;
pub(super) mod certificate;
pub(super) mod crd;
pub mod deployments;
pub(super) mod disruption;
pub(super) mod hpas;
pub(super) mod leases;
pub(super) mod metrics_api;
pub(super) mod overlap;
pub mod prometheus;
pub(super) mod quota;
pub(super) mod rbac;
pub(super) mod readiness;
pub(super) mod replicas;
pub(crate) mod requests;
pub(super) mod resource_metrics;
pub(super) mod scalings;
pub(super) mod schedules;
pub(super) mod service;
pub(super) mod suspended;
