//! Suspends scaling by an annotation of the resource: for some workloads or all, until a time or until
//! resumed, with a reason.
//!
//! ```text
//! annotations --annotation--> texts by holder --suspension--> Suspension, or why the text cannot be read
//!   --freeze(now)--> Scaling with frozen workloads, and Suspended: messages, and when the suspension ends
//! vas suspend, vas resume --change--> a patch of one annotation
//! ```
//!
//! A *holder* is a person or program that suspends. Each holder has its own annotation, so that no holder
//! overwrites another one's suspension. It is an annotation and no field of the spec, because applying a
//! manifest again does not touch it. A text that cannot be read suspends all workloads: whoever wrote it
//! wanted scaling to stop.

pub mod annotation;
pub mod change;
pub mod freeze;
mod frozen;
#[cfg(test)]
mod properties;
mod span;
mod suspension;

pub use annotation::{Holder, HolderError};
pub use freeze::{Suspended, freeze, next_end};
pub use frozen::{LeftFrozen, is_frozen, left_frozen};
pub use span::{Span, SpanError};
pub use suspension::{Reason, Suspension, SuspensionError, Workloads};

/// Largest number of characters of a foreign text in a message.
const SHOWN: usize = 80;

/// A foreign text in quotes, cut after 80 characters, with control characters escaped for the terminal.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "..." } else { "" };
    format!("{shown:?}{more}")
}
