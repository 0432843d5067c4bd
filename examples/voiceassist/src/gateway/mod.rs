//! The gateway: REST and WebSockets. One file for each resource of the API, with its routes and its queries.
//!
//! Invariant: every answer that is no success is a JSON problem; every list has a limit; what a caller may see is decided in the
//! query itself, so what is somebody else's is not there.

mod audit_log;
mod authentication;
mod documents;
mod feature_flags;
mod lists;
mod messages;
mod overview;
mod router;
mod search;
mod sessions;
mod speech;
mod state;
mod users;
mod voice;
mod warm;
mod websocket;

pub use self::{
    lists::{Lists, Rows},
    router::router,
    state::{Gateway, Limits},
    warm::warm,
    websocket::SocketMetrics,
};
use crate::database::Statement;

/// Statements of this module.
pub const STATEMENTS: &[&[&Statement]] = &[
    audit_log::STATEMENTS,
    authentication::STATEMENTS,
    documents::STATEMENTS,
    feature_flags::STATEMENTS,
    messages::STATEMENTS,
    overview::STATEMENTS,
    sessions::STATEMENTS,
    users::STATEMENTS,
];
