//! vas's load engine as a process of its own, which works as in `vas test run`.

use std::{path::Path, sync::Arc, time::Duration};

use vas_loadtest::{
    clock::RunClock,
    engine::{self, Settings},
    http::{Protocol, Target, TlsOptions},
    scenario::{
        inputs::Inputs,
        model::{Action, Journey, Load, Request, Scenario, Statuses, Step, Think},
        part::Part,
        rate::Profile,
        template::Template,
    },
};

/// Time until all threads have started.
const LEAD: Duration = Duration::from_millis(200);

/// The load that is sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    target: String,
    #[arg(long, required_unless_present = "users")]
    rate: Option<f64>,
    #[arg(long)]
    users: Option<f64>,
    #[arg(long)]
    seconds: f64,
    #[arg(long)]
    connections: u64,
    #[arg(long)]
    precise: bool,
}

/// Sends the load until its end.
pub(crate) async fn send(args: &Args) {
    let duration = Duration::from_secs_f64(args.seconds);
    let load = match (args.rate, args.users) {
        (Some(rate), _) => Load::Open(Profile::constant(rate, duration)),
        (None, users) => Load::Closed(Profile::constant(users.unwrap_or(1.0), duration)),
    };
    let target = Target::parse(
        &args.target,
        Protocol::Http1,
        &TlsOptions::default(),
        Path::new(""),
    );
    let settings = Settings {
        max_connections: Some(args.connections),
        precise: args.precise,
        ..Settings::default()
    };
    let clock = RunClock::begins_in(LEAD);
    let target = target.expect("a URL");
    let running = engine::start(Arc::new(scenario(load)), &target, settings, clock).expect("it starts");
    let measured = running.finish().await.expect("no thread is lost");
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
}

/// A scenario of one request without variables.
fn scenario(load: Load) -> Scenario {
    let request = Request {
        method: "GET".to_owned(),
        path: Template::parse("/").expect("a path"),
        headers: Vec::new(),
        body: None,
        expect: Statuses::Success,
        extract: [].into(),
        checks: Vec::new(),
        follow: None,
    };
    let step = Step {
        name: "GET /".to_owned(),
        once: false,
        weight: None,
        batch: None,
        host: None,
        action: Action::Request(request),
        think: None,
    };
    Scenario {
        name: "bench".to_owned(),
        description: String::new(),
        load,
        iterations: None,
        part: Part::default(),
        setup: None,
        teardown: None,
        hosts: [].into(),
        journeys: vec![Journey {
            name: "user".to_owned(),
            weight: 1,
            think: Think::default(),
            cookies: false,
            headers: Vec::new(),
            steps: vec![step],
        }],
        inputs: Inputs::default(),
        thresholds: Vec::new(),
        timeout: Duration::from_secs(10),
        abort: None,
    }
}
