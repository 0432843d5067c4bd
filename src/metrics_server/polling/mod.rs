//! Polls of Prometheus: which queries when, in whose turn.

pub(crate) mod first_answers;
pub(crate) mod intake;
pub(crate) mod poller;
pub(crate) mod reload;
