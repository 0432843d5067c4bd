//! The board about load tests: load, answers, the generator, and the replicas beneath.

mod answers;
mod generator;
mod load;
mod replicas;
mod runs;

use super::Board;

/// Its address in Grafana.
const UID: &str = "vas-load-testing";

pub(super) fn board() -> Board {
    Board {
        uid: UID,
        title: "vas: load tests",
        description: "What vas test sends, what comes back, and whether the replicas follow.",
        scenarios: true,
        rows: vec![
            runs::row(),
            load::row(),
            answers::row(),
            replicas::row(),
            generator::row(),
        ],
    }
}
