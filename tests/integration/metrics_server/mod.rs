//! `vas metrics-server` behind a real aggregation layer, in front of a real Prometheus, read by the real HPA.

mod access;
mod clients;
mod configuration;
mod documents;
mod elsewhere;
mod explain;
mod external;
mod fallback;
mod faults;
mod faults_under_load;
mod front_proxy;
mod hostile;
mod hpa;
mod limits;
mod reading;
mod remarks;
mod replicas;
mod serving;
mod shared_prometheus;
mod sources;
mod split;
pub(crate) mod stack;
mod tokens;
mod uninstall;
mod unreviewed;
mod vanished;
