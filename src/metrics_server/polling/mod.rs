//! Polls of Prometheus: which queries are sent, when, and in which order.

pub(crate) mod first_answers;
pub(crate) mod intake;
pub(crate) mod poller;
pub(crate) mod reload;
