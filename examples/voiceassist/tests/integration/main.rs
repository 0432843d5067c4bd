//! VoiceAssist over a real PostgreSQL and a real Redis: the programs as they are built, asked from outside.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on must stop, and it may look at the clock"
)]

mod api;
mod bad_input;
mod cache;
mod clients;
mod faults;
mod image;
mod kill;
mod plans;
mod queue;
mod scenarios;
mod shutdown;
mod statements;
mod support;
mod telemetry;
mod voice;
mod websocket;
