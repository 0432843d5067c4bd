//! `vas metrics-server` behind a real aggregation layer, in front of a real Prometheus, read by the real HPA.

mod access;
mod explain;
mod external;
mod faults;
mod hpa;
mod pair;
mod reading;
mod refused;
mod replicas;
mod serving;
mod stack;
