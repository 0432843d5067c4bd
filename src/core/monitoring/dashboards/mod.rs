//! The boards that come with vas, as Grafana's classic JSON.
//!
//! ```text
//! panel         a panel: what it shows, of which unit, from when on it is bad
//! query         an expression with its legend, and the selectors that the variables of a board narrow
//! variables     what a viewer chooses
//! annotations   moments that are marked on every board
//! layout        where panels stand
//! render        the JSON
//! files         the files, and their names
//! others        families of metrics that others export, and boards read
//! load_testing, autoscaling, system   the boards, a file for each row
//! not_shown     families that no board and no alert reads, each with the reason
//! ```
//!
//! Invariant: names of metrics come from [`super::families`] and [`others`], so a query reads what there is. Missing data
//! is never zero: a line has a gap, and a count is 0 only where something was counted.

mod annotations;
mod autoscaling;
pub mod files;
mod layout;
mod load_testing;
pub mod not_shown;
pub mod others;
pub mod panel;
pub mod query;
mod render;
mod system;
mod variables;

use panel::Panel;

pub use autoscaling::UID as AUTOSCALING;
pub use system::UID as SYSTEM;

/// A board.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Its address in Grafana, and the name of its file. It never changes, because links lead there.
    pub uid: &'static str,
    /// Title.
    pub title: &'static str,
    /// What it is for, in one sentence.
    pub description: &'static str,
    /// Whether viewers choose scenarios of load tests.
    pub scenarios: bool,
    /// Its rows, from above.
    pub rows: Vec<Row>,
}

/// Panels under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The heading.
    pub title: &'static str,
    /// The panels, from left to right and then downwards.
    pub panels: Vec<Panel>,
}

/// The boards, in the order in which they link to each other.
pub fn boards() -> [Board; 3] {
    [load_testing::board(), autoscaling::board(), system::board()]
}

#[cfg(test)]
mod lint;
#[cfg(test)]
mod tests;
