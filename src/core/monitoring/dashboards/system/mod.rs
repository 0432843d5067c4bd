//! The board about how VoiceAssist, its pods and vas itself perform.

mod cache;
mod database;
mod metrics_server;
mod operator;
mod pods;
mod processes;
mod queue;
mod requests;

use super::Board;

/// Its address in Grafana.
pub const UID: &str = "vas-system-performance";

pub(super) fn board() -> Board {
    Board {
        uid: UID,
        title: "vas: system performance",
        description: "VoiceAssist's requests, database, cache and pods, and vas itself.",
        scenarios: false,
        rows: vec![
            requests::row(),
            database::row(),
            cache::row(),
            queue::row(),
            pods::row(),
            operator::row(),
            metrics_server::row(),
            processes::row(),
        ],
    }
}
