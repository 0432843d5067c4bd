//! The live page of a run in a real browser: `make test-browser`. It checks what a person would look at, and leaves
//! pictures of it in `target/browser`.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on must stop, and it may look at the clock and the environment"
)]

mod browser;
mod devtools;
mod live_page;
mod page;
