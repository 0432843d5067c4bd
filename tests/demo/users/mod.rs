//! The users: `vas test run` against the service of the load model, one run for each part of the story.
//!
//! The story waits for conditions, so nobody knows beforehand how long a part takes: each run has a long last
//! stage, and SIGINT ends it with a report of what was run.

mod report;
mod verdict;

use std::{path::PathBuf, time::Duration};

pub(crate) use self::{
    report::Report,
    verdict::{table, unharmed, while_scaling},
};
use support::{
    cluster::{root, run_dir},
    process::{Process, Signal},
    vas,
};

/// About the time from the start of `vas test run` to its first request. The run before it ends then.
const LEAD: Duration = Duration::from_millis(250);
/// Longest time that a run takes to end, because requests in flight have to be answered.
const END: Duration = Duration::from_secs(15);
/// Exit code of a run that was ended by a signal.
const INTERRUPTED: i32 = 130;

/// A part of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Quiet, before the ramp.
    Quiet,
    /// The ramp, until the replicas are there.
    Ramp,
    /// The peak with enough replicas, and the outage of Prometheus.
    Peak,
    /// Quiet again, from the burst of jobs to the end.
    QuietAgain,
}

impl Part {
    /// Name of the part in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Ramp => "ramp, until nine pods carry it",
            Self::Peak => "peak, Prometheus away and back",
            Self::QuietAgain => "quiet again, replicas fall",
        }
    }

    fn scenario(self) -> PathBuf {
        let file = match self {
            Self::Quiet | Self::QuietAgain => "quiet.yaml",
            Self::Ramp => "ramp.yaml",
            Self::Peak => "peak.yaml",
        };
        root().join("tests/demo/users").join(file)
    }

    fn report(self) -> PathBuf {
        run_dir().join(format!("users-{self:?}.json"))
    }
}

/// What users experienced in one part.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The part of the story.
    pub part: Part,
    /// The report of `vas test run`.
    pub report: Report,
}

/// The users of the gateway.
#[derive(Debug)]
pub(crate) struct Users {
    target: String,
    running: (Part, Process),
}

impl Users {
    /// Starts the users with the quiet part.
    pub(crate) fn come(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            running: (Part::Quiet, start(Part::Quiet, target)),
        }
    }

    /// Starts the next part. The run before it ends when the new one begins, and its report is returned.
    pub(crate) async fn go_on(&mut self, part: Part) -> Seen {
        let next = start(part, &self.target);
        tokio::time::sleep(LEAD).await;
        let (before, process) = std::mem::replace(&mut self.running, (part, next));
        end(before, process).await
    }

    /// Ends the users, and returns the report of the last part.
    pub(crate) async fn leave(self) -> Seen {
        let (part, process) = self.running;
        end(part, process).await
    }

    /// Panics with the log of a run that has ended by itself.
    pub(crate) fn assert_running(&mut self) {
        self.running.1.assert_running();
    }
}

fn start(part: Part, target: &str) -> Process {
    let args = [
        "test".to_owned(),
        "run".to_owned(),
        part.scenario().display().to_string(),
        format!("--target={target}"),
        format!("--output=json={}", part.report().display()),
    ];
    vas::start(&format!("users-{part:?}"), &args, &[])
}

async fn end(part: Part, mut process: Process) -> Seen {
    process.signal(Signal::Interrupt);
    let status = process.wait(END).await;
    assert_eq!(status.code(), Some(INTERRUPTED), "{}", process.log());
    let text = std::fs::read_to_string(part.report()).expect("vas test run has written its report");
    let report = serde_json::from_str(&text).expect("the report has the documented form");
    Seen { part, report }
}
