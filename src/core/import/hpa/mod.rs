//! HPAs as they are found: of any version of their API.

mod version;

pub use version::{HpaError, read};
