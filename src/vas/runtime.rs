//! The runtimes on which commands do their asynchronous work.

use tokio::runtime::{Builder, Runtime};

use crate::exit::Failure;

/// A runtime on this thread, for commands that wait for one thing after the other.
pub(crate) fn of_this_thread() -> Result<Runtime, Failure> {
    started(&mut Builder::new_current_thread())
}

/// A runtime with a thread per processor, for servers and for commands with many requests at once.
pub(crate) fn of_all_processors() -> Result<Runtime, Failure> {
    started(&mut Builder::new_multi_thread())
}

fn started(builder: &mut Builder) -> Result<Runtime, Failure> {
    let runtime = builder.enable_all().build();
    runtime.map_err(|error| Failure::failed(format!("cannot start: {error}")))
}
