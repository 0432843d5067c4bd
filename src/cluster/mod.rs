//! The one way to a cluster: clocks, leader election, watches, logs and metrics, shared by every program.
//!
//! Must not: know what a `VoiceAssistScaling` is made into.

pub mod clock;
pub(crate) mod judging;
pub mod leader;
pub mod listening;
pub mod random;
pub mod server_clock;
pub mod shutdown;
pub mod telemetry;
pub mod terminal;
pub mod watch;
