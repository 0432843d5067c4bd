//! Writes scenarios from what other tools have: recordings of browsers (HAR), `OpenAPI` documents, Postman
//! collections and the options of a k6 script.
//!
//! ```text
//! har      recorded requests -> one journey        openapi  operations with examples -> one journey
//! postman  requests of a collection -> one journey k6       stages, executors and thresholds -> load
//! scenario what is written, in the order in which a person would write it
//! text     text of others as text of a scenario    address  the address of a request, in its parts
//! secret   variables of the environment in the place of secrets (body: in JSON; credentials: that are asked for)
//! sendable what the reader of scenarios says of a step               others   hosts besides the target
//! ```
//!
//! Invariant: what is written parses as a scenario, and whatever could not be taken is listed with a reason.
//! Must not: read files, or send anything.

mod address;
mod body;
mod credentials;
pub mod har;
pub mod k6;
pub mod openapi;
pub mod others;
pub mod postman;
pub mod scenario;
mod secret;
mod sendable;
#[cfg(test)]
mod tests;
mod text;

use self::scenario::Scenario;

/// A scenario that was written, and what is not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The scenario.
    pub scenario: Scenario,
    /// URL of the service, for `--target`, where the input names one.
    pub target: Option<String>,
    /// The parts of the input that were not taken.
    pub left_out: Vec<LeftOut>,
    /// The variables of the environment that a run needs.
    pub variables: Vec<Variable>,
    /// What else the user has to do before the scenario can run.
    pub to_do: Vec<String>,
}

/// A variable of the environment that stands for a secret of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, such as `TARGET_COOKIE`.
    pub name: String,
    /// What its value is, such as `the header cookie`.
    pub what: String,
    /// Number of requests that have it.
    pub requests: usize,
    /// Number of values that it had in the input.
    pub values: usize,
}

/// A part of the input that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Where the part is, such as `entries[3] POST /login`.
    pub part: String,
    /// Why it was not taken, and what the user can do.
    pub why: String,
}

impl LeftOut {
    /// Both texts come from the file and are shown on a terminal, so they are one line each, and cut.
    fn new(part: impl AsRef<str>, why: impl AsRef<str>) -> Self {
        Self {
            part: text::brief(part.as_ref()),
            why: text::brief(why.as_ref()),
        }
    }
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file is of another kind.
    #[error("this is not {expected}: {why}")]
    Kind {
        /// What was expected, such as `a HAR file`.
        expected: &'static str,
        /// What is missing.
        why: &'static str,
    },
    /// No request of the input could be taken.
    #[error("none of its requests can be taken:\n{}", reasons(.0))]
    Nothing(Vec<LeftOut>),
    /// A scenario cannot have another host of this name, or so many.
    #[error("--host: {field} {rule}")]
    Misnamed {
        /// Field of the scenario.
        field: String,
        /// What is wrong with it.
        rule: String,
    },
    /// The URL of another host has more than scheme, host and port.
    #[error(
        "--host {host}: must be scheme, host and port alone, such as https://auth.example: the path of each request is put behind it"
    )]
    Origin {
        /// Name of the host.
        host: String,
    },
    /// No step goes to another host that is named.
    #[error("--host {host}: no request that can be taken goes to {origin}")]
    Unused {
        /// Name of the host.
        host: String,
        /// Its URL.
        origin: String,
    },
    /// The input has more requests than a scenario may have steps.
    #[error("it has {found} requests, and a scenario has at most {MOST_STEPS} steps: cut the file down")]
    Many {
        /// Number of requests.
        found: usize,
    },
}

fn reasons(left_out: &[LeftOut]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = left_out
        .iter()
        .take(SHOWN)
        .map(|LeftOut { part, why }| format!("  {part}: {why}"))
        .collect();
    if left_out.len() > SHOWN {
        lines.push(format!("  and {} more", left_out.len() - SHOWN));
    }
    lines.join("\n")
}

/// Most requests that one input may have.
const MOST_STEPS: usize = 2000;

/// Greatest length of all bodies together, in bytes: 16 MiB. References and variables can make a small file a large scenario.
const MOST_BYTES: usize = 16 << 20;

/// The load of a written scenario unless the input says otherwise: five users for a minute.
fn some_users() -> scenario::Load {
    scenario::Load::users(vec![scenario::Stage::at(5.0, "1m")])
}

/// Thresholds of a written scenario unless the input has some.
fn some_thresholds() -> Vec<String> {
    ["latency p95 < 500ms", "errors < 1%"].map(str::to_owned).into()
}
