//! Flags of the request that a run without a scenario sends, in the words of curl, hey, oha and k6.

use std::{fs, io, path::PathBuf, time::Duration};

use hyper::Method;

use crate::{
    duration,
    exit::{Code, CommandError},
};
use vas_loadtest::scenario::quick::{Length, Level, Quick, TIMEOUT};

/// How long a run sends requests if no flag says so.
const QUICK: Duration = Duration::from_secs(30);

/// Longest time of a run of a number of requests, as k6 has it.
const LIMIT: Duration = Duration::from_mins(10);

/// The request.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Request (without a scenario)")]
pub(super) struct RequestArgs {
    /// HTTP method. Default: GET, or POST with a body
    #[arg(short = 'X', long, value_name = "METHOD", alias = "request", value_parser = parse_method)]
    method: Option<String>,
    /// Body, or @FILE for the content of a file; sent as it is, and as application/json unless -H says
    /// otherwise
    #[arg(
        short = 'd',
        long,
        value_name = "TEXT|@FILE",
        alias = "data",
        conflicts_with = "body_file"
    )]
    body: Option<String>,
    /// File with the body, in UTF-8
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Statuses that count as answered. Default: 200 to 399
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(100..=599))]
    expect_status: Vec<u16>,
    /// Longest wait for one answer. Default: 10s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_exact)]
    timeout: Option<Duration>,
    /// Number of requests in all, instead of a time; with --users, --duration is the longest time (default: 10m)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX)))]
    requests: Option<u64>,
    /// Time in which the load rises from 0 to --rate or --users, before --duration
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_exact)]
    ramp: Option<Duration>,
}

/// A time is given beside a number of requests at a rate.
#[derive(Debug, thiserror::Error)]
#[error("--duration: at a rate, --requests says how long the run is; leave one of them out")]
pub(super) struct TwoLengths;

/// The file of the body cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{flag} {}: {source}", .file.display())]
pub(super) struct BodyError {
    flag: &'static str,
    file: PathBuf,
    source: io::Error,
}

impl CommandError for BodyError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

impl RequestArgs {
    /// How long the run is, where `duration` is the time that was given.
    ///
    /// # Errors
    /// When a time is given beside a number of requests at a rate.
    pub(super) fn length(&self, duration: Option<Duration>, level: Level) -> Result<Length, TwoLengths> {
        match (self.requests, level) {
            (None, _) => Ok(Length::Time(duration.unwrap_or(QUICK))),
            (Some(_), Level::Rate(_)) if duration.is_some() => Err(TwoLengths),
            (Some(count), _) => Ok(Length::Requests {
                count,
                limit: duration.unwrap_or(LIMIT),
            }),
        }
    }

    /// The first flag that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--method", self.method.is_some()),
            ("--body", self.body.is_some()),
            ("--body-file", self.body_file.is_some()),
            ("--expect-status", !self.expect_status.is_empty()),
            ("--requests", self.requests.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--ramp", self.ramp.is_some()),
        ];
        flags.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }

    /// The run with this request.
    ///
    /// # Errors
    /// When the file of the body cannot be read, or is not UTF-8.
    pub(super) fn of(&self, quick: Quick) -> Result<Quick, BodyError> {
        let body = self.body()?;
        let usual = if body.is_some() { "POST" } else { "GET" };
        Ok(Quick {
            ramp: self.ramp.unwrap_or_default(),
            method: self.method.clone().unwrap_or_else(|| usual.to_owned()),
            body,
            expect: self.expect_status.clone(),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            ..quick
        })
    }

    fn body(&self) -> Result<Option<String>, BodyError> {
        let (flag, file) = match (&self.body, &self.body_file) {
            (Some(body), _) => match body.strip_prefix('@') {
                Some(file) => ("--body", PathBuf::from(file)),
                None => return Ok(Some(body.clone())),
            },
            (None, Some(file)) => ("--body-file", file.clone()),
            (None, None) => return Ok(None),
        };
        match fs::read_to_string(&file) {
            Ok(body) => Ok(Some(body)),
            Err(source) => Err(BodyError { flag, file, source }),
        }
    }
}

/// Parses a method. Methods have capitals; a known one may be written in any case, as curl's users do.
fn parse_method(text: &str) -> Result<String, String> {
    match text.to_ascii_uppercase().as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "TRACE") => {
            Ok(known.to_owned())
        }
        "CONNECT" => Err("CONNECT opens a tunnel and cannot be sent as a request".to_owned()),
        _ => match Method::from_bytes(text.as_bytes()) {
            Ok(method) => Ok(method.to_string()),
            Err(_) => Err("is not a method of HTTP such as GET or POST".to_owned()),
        },
    }
}
