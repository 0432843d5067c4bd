//! Scenarios: which load a test sends, and what must hold for it to pass.
//!
//! ```text
//! text --document--> Document --parse (load, step, threshold, template)--> Scenario (model)
//! builtin  the scenarios that come with vas          quick  one without a file
//! scaled   shorter, thinner                          plan   what a run will be, in words (expected: how many requests)
//! schema   the published form of documents           websocket  one connection, from the document to the model
//! inputs   data files and made-up values             environment  `${TOKEN}`, whose value is shown nowhere
//! sources  files beside a scenario                   payload    what is sent in a body or a message
//! form     bodies, also those of forms, with files or without
//! part     what one of several processes sends of a load
//! lanes    one load, or several side by side      journey  the steps of a user (batch: those sent at once)
//! hosts    where steps go instead of the target
//! once     what is done before the load and after it
//! check    what an answer must have                  extract    what is taken from an answer (pattern: by regex)
//! ```

mod batch;
pub mod builtin;
pub mod check;
pub mod css;
pub mod document;
pub mod environment;
pub mod expected;
pub mod extract;
pub mod form;
pub mod hosts;
pub mod inputs;
mod journey;
mod lanes;
mod load;
pub mod model;
mod once;
pub mod parse;
pub mod part;
pub mod pattern;
pub mod payload;
pub mod plan;
pub mod problem;
pub mod quick;
pub mod rate;
pub mod scaled;
pub mod schema;
mod sources;
mod step;
pub mod template;
pub mod threshold;
pub mod websocket;

pub(crate) use self::step::problem as step_problem;
pub use self::{
    parse::{ScenarioError, parse, parse_in},
    sources::File,
    step::path_of_flag,
};
pub use vas_core::k8s::duration::precise as duration;

#[cfg(test)]
mod properties;
