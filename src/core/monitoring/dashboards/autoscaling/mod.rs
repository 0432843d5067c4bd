//! The board about workloads that scale: what is wrong and why, what decides, and how fresh it is.

mod conditions;
mod deciding;
mod freshness;
mod now;
mod replicas;
mod writes;

use super::Board;

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
