//! Policies side by side over one load.
//!
//! ```text
//! settings  what is compared, on what assumptions   outcome  the figures of each policy
//! text      a table for people                      json     for programs    csv  each moment
//! html      a page with charts
//! ```
//!
//! Every policy meets the same load with the same assumptions, over the same judged time.

pub mod csv;
pub mod html;
pub mod json;
mod outcome;
mod settings;
#[cfg(test)]
mod tests;
pub mod text;

pub use outcome::{Comparison, Row, compare};
pub use settings::{Capacity, Contender, Settings};
