//! What every route has in common: the accept loop, problems as JSON, bounded texts, pages.

mod extract;
mod listening;
mod page;
mod problem;
mod prompt;
mod text;

pub use self::{
    extract::{Body, Id, Params},
    listening::{Limits, serve},
    page::{Page, PageParams, Paging},
    problem::Problem,
    text::{Email, Text},
};
