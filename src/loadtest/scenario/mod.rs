//! Scenarios: which load a test sends, and what must hold for it to pass.
//!
//! ```text
//! text --document--> Document --parse (load, step, threshold, template)--> Scenario (model)
//! builtin  the scenarios that come with vas          quick  one without a file
//! scaled   shorter, thinner                          plan   what a run will be, in words (expected: how many requests)
//! schema   the published form of documents           websocket  one connection, from the document to the model
//! ```

mod body_check;
pub mod builtin;
pub mod document;
pub mod expected;
mod load;
pub mod model;
pub mod parse;
pub mod plan;
pub mod problem;
pub mod quick;
pub mod rate;
pub mod scaled;
pub mod schema;
mod step;
pub mod template;
pub mod threshold;
pub mod websocket;

pub use self::{
    parse::{ScenarioError, parse},
    step::path_of_flag,
};
pub use vas_core::k8s::duration::precise as duration;

#[cfg(test)]
mod properties;
