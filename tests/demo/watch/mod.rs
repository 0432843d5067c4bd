//! Watches and polls that write their observations into the record.

mod follow;
mod objects;
mod polls;

use kube::Client;
use tokio::task::JoinSet;

use crate::{clock::Clock, load::Steering, record::Shared};

/// Starts all watches and polls. They end when the set is dropped.
pub(crate) fn start(
    clock: Clock,
    client: &Client,
    load: &Steering,
    prometheus: &str,
    record: &Shared,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(objects::pods(clock, client.clone(), record.clone()));
    tasks.spawn(objects::deployments(clock, client.clone(), record.clone()));
    tasks.spawn(objects::hpas(clock, client.clone(), record.clone()));
    tasks.spawn(objects::scaling(clock, client.clone(), record.clone()));
    tasks.spawn(polls::usage(clock, client.clone(), record.clone()));
    tasks.spawn(polls::served(clock, client.clone(), record.clone()));
    tasks.spawn(polls::offered(clock, load.clone(), record.clone()));
    tasks.spawn(polls::prometheus(clock, prometheus.to_owned(), record.clone()));
    tasks
}
