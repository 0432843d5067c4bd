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
//!
//! With `--service-listen` it answers real requests too, on a port of their own, over HTTP/1.1, HTTP/2 and WebSockets,
//! as fast as the Ready gateway pods can: `--capacity` requests per second of each, by `--capacity-shape`. What arrives
//! there is counted in the same series. With `--pods N` it plays the gateway's pods too and needs no cluster.
//!
//! ```text
//! POST /service  {"capacity": 240}              requests per second of one pod from now on
//! POST /service  {"pods": 4}                    Ready pods from now on, with --pods
//! POST /service  {"stall": {"seconds": 1.5}}    hold every answer for so long from now
//! ```

mod arguments;
mod drive;
mod exposition;
mod model;
mod series;
mod server;
mod service;
mod usage_patch;

use std::{process::ExitCode, sync::Arc};

use clap::Parser as _;
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::watch};

use self::{arguments::Arguments, drive::Clockwork, model::Model, server::Site, service::Service};

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
    let model = Shared::default();
    let stop = vas_cluster::shutdown::on_signal()?;
    let listener = TcpListener::bind(arguments.listen).await?;
    let service_listener = match arguments.service_listen {
        Some(address) => Some(TcpListener::bind(address).await?),
        None => None,
    };
    let service = match service_listener {
        Some(_) => Some(Service::start(&arguments.service, Arc::clone(&model))?),
        None => None,
    };
    let (played, pods) = watch::channel(arguments.pods.unwrap_or_default());
    let site = Site {
        model: Arc::clone(&model),
        namespace: arguments.namespace().to_owned(),
        service: service.clone(),
        played: arguments.pods.is_some().then(|| Arc::new(played)),
    };
    let clockwork = Clockwork::new(model, service.clone());
    let drive = async {
        if arguments.pods.is_some() {
            return clockwork.play(&arguments.gateway, pods).await;
        }
        clockwork.follow(arguments.client().await?, &arguments).await
    };
    let serve = async {
        match (service_listener, service) {
            (Some(listener), Some(service)) => service::serve(listener, service).await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        end = server::serve(listener, site) => end,
        end = serve => end,
        end = drive => end,
    }
}

#[expect(clippy::print_stderr, reason = "a program's last words")]
fn report(error: &dyn std::error::Error) {
    eprintln!("load-model: {error}");
}
