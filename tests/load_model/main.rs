//! `load-model`: VoiceAssist without VoiceAssist, for the demo and the tests.
//!
//! Simulated pods run nothing, so this one program plays their part: it watches the pods of a gateway and
//! a worker Deployment, gives every pod that is Ready its own `voiceassist_*` series on one `/metrics`
//! (scrape it with `honor_labels: true`), and writes simulated CPU and memory usage onto the pods.
//! The offered load is steered over HTTP:
//!
//! ```text
//! POST /load   {"requests_per_second": 840}
//! POST /queue  {"jobs": 300, "seconds_per_job": 0.25}                jobs that arrive at once
//! POST /queue  {"arrivals_per_second": 2, "seconds_per_job": 0.25}   jobs that keep arriving
//! GET  /state  what is offered and what is left of it, as JSON
//! ```

mod arguments;
mod drive;
mod exposition;
mod model;
mod series;
mod server;
mod usage_patch;

use std::{process::ExitCode, sync::Arc};

use clap::Parser as _;
use parking_lot::Mutex;

use self::{arguments::Arguments, model::Model};

/// The model, shared by the clock that drives it and the server that shows and steers it.
type Shared = Arc<Mutex<Model>>;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    let client = arguments.client().await?;
    let model = Shared::default();
    let stop = vas::shutdown::on_signal()?;
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        end = server::serve(listener, arguments.namespace.clone(), Arc::clone(&model)) => end,
        end = drive::drive(client, &arguments, model) => end,
    }
}

#[expect(clippy::print_stderr, reason = "a program's last words")]
fn report(error: &dyn std::error::Error) {
    eprintln!("load-model: {error}");
}
