//! The board about workloads that scale: what is wrong and why, what decides, and how fresh it is.

mod conditions;
mod deciding;
mod freshness;
mod now;
mod replicas;
mod writes;

use super::{
    Board,
    query::{WORKLOAD, once},
};
use crate::monitoring::families::scalings::{WORKLOAD_REPLICAS_MAX, WORKLOAD_REPLICAS_MIN};

/// Its address in Grafana.
pub const UID: &str = "vas-autoscaling";

pub(super) fn board() -> Board {
    Board {
        uid: UID,
        title: "vas: autoscaling",
        description: "What scales, which metric decides, what is wrong and why.",
        scenarios: false,
        rows: vec![
            now::row(),
            replicas::row(),
            deciding::row(),
            freshness::row(),
            conditions::row(),
            writes::row(),
        ],
    }
}

/// The series of workloads whose bounds leave a choice: an HPA with one size is always at its bound.
fn free_to_move(workloads: &str) -> String {
    let [min, max] = [WORKLOAD_REPLICAS_MIN, WORKLOAD_REPLICAS_MAX].map(|family| once(WORKLOAD, family));
    format!("{workloads} unless on ({WORKLOAD}) {min} >= {max}")
}
