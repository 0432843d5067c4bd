//! The knowledge base: documents in pieces, each with an embedding, and the search over them.
//!
//! The embedding model is a stand-in, and says so ([`Embedder`]). The base is shared: every user finds every document.

mod embedding;
mod pieces;
mod search;

pub(crate) use self::embedding::burn;
pub use self::{
    embedding::{DIMENSIONS, Embedder, Embedding, similarity},
    pieces::pieces,
    search::{Found, search},
};
use crate::database::Statement;

/// Statements of this module.
pub const STATEMENTS: &[&Statement] = &[&search::CANDIDATES];
