//! The generators that are compared, and the command lines that make them do the same.

use std::{env, path::PathBuf, time::Duration};

use support::cluster::root;

use tokio::process::Command;

/// Names a `bench-load` of another commit. What a change costs the engine is seen in one run only: figures of
/// two days, or of two machines, differ by more than that.
pub(crate) const OTHER_BUILD: &str = "VAS_BENCH_OTHER";

/// A load generator that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    /// The load engine of `vas test`.
    Vas,
    /// The load engine of another build of this program, which [`OTHER_BUILD`] names.
    VasOther,
    /// The load engine of `vas test --precise`.
    VasPrecise,
    Oha,
    Wrk,
    Hey,
    Vegeta,
    K6,
}

/// The load that a generator sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Open loop: requests per second, whatever the server does.
    Open(u32),
    /// Closed loop: as many as the connections bring, with one request at a time on each.
    Closed,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Open(1000), Self::Open(5000), Self::Closed];

    pub(crate) fn name(self) -> String {
        match self {
            Self::Open(rate) => format!("{rate} requests/s"),
            Self::Closed => "closed loop".to_owned(),
        }
    }
}

impl Tool {
    pub(crate) const ALL: [Self; 8] = [
        Self::Vas,
        Self::VasOther,
        Self::VasPrecise,
        Self::Oha,
        Self::Wrk,
        Self::Hey,
        Self::Vegeta,
        Self::K6,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vas => "vas test",
            Self::VasOther => "vas test, other build",
            Self::VasPrecise => "vas test --precise",
            Self::Oha => "oha",
            Self::Wrk => "wrk",
            Self::Hey => "hey",
            Self::Vegeta => "vegeta",
            Self::K6 => "k6",
        }
    }

    /// How to install a generator that is missing.
    pub(crate) fn how_to_get(self) -> &'static str {
        match self {
            Self::Vas | Self::VasPrecise => "it is part of this program",
            Self::VasOther => "VAS_BENCH_OTHER=PATH names the bench-load of another commit",
            Self::Oha => "tests/bench/generators/build.sh oha",
            Self::Wrk => "apt-get install wrk",
            Self::Hey => "apt-get install hey",
            Self::Vegeta => "tests/bench/generators/build.sh vegeta",
            Self::K6 => "tests/bench/generators/build.sh k6",
        }
    }

    pub(crate) fn is_there(self) -> bool {
        self.program().is_some()
    }

    /// Path of the program: built by `build.sh`, or on PATH.
    fn program(self) -> Option<PathBuf> {
        let file = match self {
            Self::Vas | Self::VasPrecise => return env::current_exe().ok(),
            Self::VasOther => return env::var_os(OTHER_BUILD).map(PathBuf::from),
            other => other.name(),
        };
        let built = root().join("target/bench/bin");
        let path = env::var_os("PATH").unwrap_or_default();
        std::iter::once(built)
            .chain(env::split_paths(&path))
            .map(|folder| folder.join(file))
            .find(|program| program.is_file())
    }

    /// The command line; `None` where the generator is missing or has no such mode.
    pub(crate) fn command(
        self,
        mode: Mode,
        url: &str,
        connections: u32,
        duration: Duration,
    ) -> Option<Command> {
        let seconds = duration.as_secs();
        let words = match (self, mode) {
            (Self::Vas | Self::VasOther, Mode::Open(rate)) => {
                format!("send {url} --rate {rate} --seconds {seconds} --connections {connections}")
            }
            (Self::Vas | Self::VasOther, Mode::Closed) => {
                format!("send {url} --users {connections} --seconds {seconds} --connections {connections}")
            }
            (Self::VasPrecise, Mode::Open(rate)) => {
                format!("send {url} --rate {rate} --seconds {seconds} --connections {connections} --precise")
            }
            (Self::Oha, Mode::Open(rate)) => {
                format!("--no-tui -z {seconds}s -c {connections} -q {rate} --latency-correction {url}")
            }
            (Self::Oha, Mode::Closed) => format!("--no-tui -z {seconds}s -c {connections} {url}"),
            (Self::Wrk, Mode::Closed) => format!("-t 1 -c {connections} -d {seconds}s {url}"),
            (Self::Hey, Mode::Closed) => format!("-z {seconds}s -c {connections} {url}"),
            (Self::Vegeta, Mode::Open(rate)) => return self.vegeta(rate, url, connections, seconds),
            (Self::K6, Mode::Open(rate)) => {
                return self.k6(
                    url,
                    &format!(
                        "executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', \
                     preAllocatedVUs: {connections}, maxVUs: {connections}, duration: '{seconds}s'"
                    ),
                );
            }
            (Self::K6, Mode::Closed) => {
                return self.k6(
                    url,
                    &format!("executor: 'constant-vus', vus: {connections}, duration: '{seconds}s'"),
                );
            }
            // Closed loops need no busy-waiting; wrk and hey cannot keep a schedule; vegeta can do nothing
            // else.
            (Self::VasPrecise | Self::Vegeta, Mode::Closed) | (Self::Wrk | Self::Hey, Mode::Open(_)) => {
                return None;
            }
        };
        let mut command = Command::new(self.program()?);
        command.args(words.split_whitespace());
        Some(command)
    }

    fn vegeta(self, rate: u32, url: &str, connections: u32, seconds: u64) -> Option<Command> {
        let targets = written("vegeta.targets", &format!("GET {url}\n"))?;
        let mut command = Command::new(self.program()?);
        command
            .args(["attack", "-output=/dev/null", "-targets"])
            .arg(targets)
            .args([
                format!("-rate={rate}"),
                format!("-duration={seconds}s"),
                format!("-connections={connections}"),
                format!("-workers={connections}"),
                format!("-max-workers={connections}"),
            ]);
        Some(command)
    }

    fn k6(self, url: &str, scenario: &str) -> Option<Command> {
        let script = format!(
            "import http from 'k6/http';\n\
             export const options = {{ scenarios: {{ bench: {{ {scenario} }} }} }};\n\
             export default function () {{ http.get('{url}'); }}\n"
        );
        let script = written("k6.js", &script)?;
        let mut command = Command::new(self.program()?);
        command.args(["run", "--quiet", "--no-usage-report"]).arg(script);
        Some(command)
    }
}

/// Writes a file that a generator reads its settings from.
fn written(name: &str, text: &str) -> Option<PathBuf> {
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder).ok()?;
    let path = folder.join(name);
    std::fs::write(&path, text).ok()?;
    Some(path)
}
