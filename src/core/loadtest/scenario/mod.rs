//! Scenarios: what load a test brings, and what has to hold. `model` is what the engine runs and cannot be wrong.

pub mod model;
pub mod template;
