//! `vas metrics-server` behind a real aggregation layer, in front of a real Prometheus, read by the real HPA.

mod access;
mod configuration;
mod elsewhere;
mod faults;
mod hpa;
mod refused;
mod remarks;
mod replicas;
mod serving;
mod sources;
mod split;
mod stack;
