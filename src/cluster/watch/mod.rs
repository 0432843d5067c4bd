//! Watches of the API server: a cache of what they deliver, and damping of states that flap.

pub mod damping;
