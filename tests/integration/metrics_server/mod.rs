//! `vas metrics-server` behind a real aggregation layer, in front of a real Prometheus, read by the real HPA.

mod hpa;
mod stack;
