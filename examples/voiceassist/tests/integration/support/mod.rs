//! What the tests share: servers, programs, clients, and waiting with a deadline.

mod client;
mod memory;
mod process;
mod server;
mod stack;
mod wait;

pub(crate) use self::{
    client::Client,
    memory::memory,
    process::Process,
    server::Server,
    stack::{Stack, database_url},
    wait::until,
};
