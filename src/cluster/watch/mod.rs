//! Watches of the API server: the one follower that every program uses, and damping of states that flap.
//!
//! ```text
//! list_watch  lists in pages, and watches
//! follow      backs off, and hands what it sees to a sink
//! one         a sink for the watch of one object by its name
//! scope       which namespaces, and one watch over several of them
//! restarts    counts failures, for Prometheus
//! damping     reports a state that flaps a few times an hour
//! ```
//!
//! Must not: know what a sink keeps or whom it notifies.

pub mod damping;
mod follow;
mod list_watch;
mod one;
mod restarts;
mod scope;

pub use follow::{Sink, events, follow, is_forbidden, warn_failed};
pub use one::{One, named};
pub use restarts::Restarts;
pub use scope::{Scope, events_in};
