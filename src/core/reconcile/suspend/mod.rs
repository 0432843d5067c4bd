//! Scaling suspended by an annotation of the resource: for some workloads, for a while, for a reason.
//!
//! ```text
//! annotations --annotation--> texts by holder --suspension--> Suspension, or why it cannot be read
//!   --freeze(now)--> Scaling with frozen workloads, and Suspended: what to say of it, and when it ends
//! vas suspend, vas resume --change--> a patch of one annotation
//! ```
//!
//! An annotation, because applying a file again does not touch it, and each holder has one of his own, so that nobody
//! overwrites what another holds. What cannot be read suspends all: whoever wrote it wanted scaling to stop.

pub mod annotation;
pub mod change;
pub(crate) mod freeze;
mod frozen;
#[cfg(test)]
mod properties;
mod suspension;

pub use annotation::{Holder, HolderError};
pub use freeze::{Suspended, freeze, next_end};
pub use frozen::{LeftFrozen, is_frozen, left_frozen};
pub use suspension::{Reason, Suspension, SuspensionError, Workloads};

/// Most characters of a foreign text in a message.
const SHOWN: usize = 80;

/// A foreign text in quotes, its end cut off and nothing in it that a terminal would act on.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "..." } else { "" };
    format!("{shown:?}{more}")
}
