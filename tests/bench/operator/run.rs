//! One operator process, and its own counters.

use std::time::{Duration, Instant};

use crate::{
    procfs::{self, Memory},
    world::{NAMESPACE, World},
};
use support::{
    process::{Process, free_port},
    vas,
};

/// Longest wait for anything. Ten thousand resources on a busy machine take long.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Time between two reads of the counters.
const LOOK: Duration = Duration::from_millis(50);
/// An operator whose counters have not changed for this long is at rest.
const REST: Duration = Duration::from_secs(4);

/// The scope of an operator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// All namespaces of the cluster.
    All,
    /// The one namespace that holds everything.
    Namespace,
    /// All namespaces, as a leader.
    Elected,
}

impl Scope {
    fn flags(self) -> Vec<String> {
        let mut flags = vec![format!("--leader-elect={}", matches!(self, Self::Elected))];
        match self {
            Self::All => {}
            Self::Namespace => flags.push(format!("--watch-namespace={NAMESPACE}")),
            Self::Elected => flags.push(format!("--leader-elect-resource-namespace={NAMESPACE}")),
        }
        flags
    }
}

/// A running operator.
pub(crate) struct Run {
    process: Process,
    started: Instant,
    metrics: String,
    http: reqwest::Client,
}

impl Run {
    /// Starts the operator, and waits until it is ready.
    pub(crate) async fn start(world: &World, scope: Scope) -> Self {
        let port = free_port();
        let mut args: Vec<String> = ["operator", "--log-level=warn"].map(str::to_owned).into();
        args.push(format!("--metrics-bind-address=127.0.0.1:{port}"));
        args.push(format!("--kubeconfig={}", world.kubeconfig().display()));
        args.extend(scope.flags());
        let run = Self {
            started: Instant::now(),
            process: vas::start("operator", &args, &[]),
            metrics: format!("http://127.0.0.1:{port}/metrics"),
            http: reqwest::Client::new(),
        };
        run.until_ready(port).await;
        run
    }

    async fn until_ready(&self, port: u16) {
        loop {
            let url = format!("http://127.0.0.1:{port}/readyz");
            if let Ok(answer) = self.http.get(url).send().await
                && answer.status().is_success()
            {
                return;
            }
            self.wait().await;
        }
    }

    /// The sum of all series of a counter.
    pub(crate) async fn count(&self, counter: &str) -> u64 {
        let Ok(answer) = self.http.get(&self.metrics).send().await else {
            return 0;
        };
        let text = answer.text().await.unwrap_or_default();
        text.lines()
            .filter(|line| line.starts_with(counter))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// Waits until a counter has reached a value.
    pub(crate) async fn until(&self, counter: &str, wanted: u64) {
        while self.count(counter).await < wanted {
            self.wait().await;
        }
    }

    /// Waits until this many reconciles are done and no more come. Returns the time from the start to the
    /// last one.
    pub(crate) async fn settle(&self, reconciles: usize) -> Duration {
        let mut last = (0, Instant::now());
        loop {
            let count = self.count("vas_operator_reconcile_total").await;
            if count != last.0 {
                last = (count, Instant::now());
            }
            if count >= reconciles as u64 && last.1.elapsed() > REST {
                return last.1.duration_since(self.started);
            }
            self.wait().await;
        }
    }

    /// CPU time that the operator has used.
    pub(crate) fn cpu(&self) -> Duration {
        let pids = procfs::Pids::from([("operator", vec![self.process.id()])]);
        procfs::Cpu::of(&pids).used("operator")
    }

    pub(crate) fn memory(&self) -> Memory {
        procfs::memory(&[self.process.id()])
    }

    async fn wait(&self) {
        assert!(
            self.started.elapsed() < PATIENCE,
            "the operator does not get done: {}",
            self.process.log()
        );
        tokio::time::sleep(LOOK).await;
    }
}
