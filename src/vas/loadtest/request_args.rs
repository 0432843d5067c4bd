//! Flags of the request that a run without a scenario sends, in the words of curl, hey, oha and k6.

use std::{io, ops::RangeInclusive, path::PathBuf, sync::OnceLock, time::Duration};

use hyper::Method;

use super::parcel::PackError;
use crate::{
    duration,
    exit::{Code, CommandError},
};
use vas_loadtest::{
    distributed::parcel::Parcel,
    files,
    scenario::quick::{Length, Level, Quick, TIMEOUT},
};

/// How long a run sends requests if no flag says so.
const QUICK: Duration = Duration::from_secs(30);

/// Longest time of a run of a number of requests, as k6 has it.
const LIMIT: Duration = Duration::from_mins(10);

/// The file of the body in the pods of a Job.
const BODY: &str = "flags/body";

/// The request that a run without a scenario sends, as its flags say.
#[derive(Clone, Debug, clap::Args, serde::Serialize, serde::Deserialize)]
#[command(next_help_heading = "Request (without a scenario)")]
pub(super) struct RequestArgs {
    /// HTTP method. Default: GET, or POST with a body
    #[arg(short = 'X', long, value_name = "METHOD", alias = "request", value_parser = parse_method)]
    method: Option<String>,
    /// Body, or @FILE for the content of a file (@- for standard input); sent as it is, and as
    /// application/json unless -H says otherwise
    #[arg(
        short = 'd',
        long,
        value_name = "TEXT|@FILE",
        alias = "data",
        conflicts_with = "body_file"
    )]
    body: Option<String>,
    /// File with the body, in UTF-8; - for standard input
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Statuses that count as answered, such as 201,404 or 2xx. Default: 200 to 399
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = parse_statuses)]
    expect_status: Vec<Expected>,
    /// Longest wait for one answer. Default: 10s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_exact)]
    timeout: Option<Duration>,
    /// Number of requests in all, instead of a time; with --users, --duration is the longest time (default: 10m)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=u64::from(u32::MAX)))]
    requests: Option<u64>,
    /// Time in which the load rises from 0 to --rate or --users, before --duration
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_exact)]
    ramp: Option<Duration>,
    /// The body of a file, once it was read: standard input and pipes can be read only once.
    #[arg(skip)]
    #[serde(skip)]
    read: OnceLock<String>,
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
            expect: self.expect_status.iter().flat_map(Expected::statuses).collect(),
            timeout: self.timeout.unwrap_or(TIMEOUT),
            ..quick
        })
    }

    /// The same request for the pods of a Job, whose body is a file of the parcel.
    ///
    /// # Errors
    /// When the file of the body cannot be read.
    pub(super) fn packed(&self, parcel: &mut Parcel) -> Result<Self, PackError> {
        let mut packed = self.clone();
        if let Some(body) = self.body()? {
            parcel.file(BODY, body.into_bytes())?;
            (packed.body, packed.body_file) = (None, Some(PathBuf::from(BODY)));
            packed.read = OnceLock::new();
        }
        Ok(packed)
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
        if let Some(body) = self.read.get() {
            return Ok(Some(body.clone()));
        }
        let read = if file.as_os_str() == "-" {
            files::read_stdin()
        } else {
            files::read_text(&file)
        };
        match read {
            Ok(body) => Ok(Some(self.read.get_or_init(|| body).clone())),
            Err(source) => Err(BodyError { flag, file, source }),
        }
    }
}

/// Statuses that count as answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Expected {
    One(u16),
    /// All whose first digit is this one.
    Class(u16),
}

impl Expected {
    fn statuses(&self) -> RangeInclusive<u16> {
        match self {
            Self::One(status) => *status..=*status,
            Self::Class(class) => class * 100..=class * 100 + 99,
        }
    }
}

/// Parses `404` or `2xx`.
fn parse_statuses(text: &str) -> Result<Expected, String> {
    let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
    let parsed = match class {
        Some(class) => class
            .parse()
            .ok()
            .filter(|class| (1..=5).contains(class))
            .map(Expected::Class),
        None => text
            .parse()
            .ok()
            .filter(|status| (100..=599).contains(status))
            .map(Expected::One),
    };
    parsed.ok_or_else(|| "is no HTTP status; write 100 to 599, or 1xx to 5xx".to_owned())
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

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::fd::AsRawFd as _};

    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_class_stands_for_its_statuses_and_what_is_none_is_refused() {
        let statuses = |text: &str| parse_statuses(text).map(|expected| expected.statuses());
        assert_eq!(statuses("404"), Ok(404..=404));
        assert_eq!(statuses("2xx"), Ok(200..=299));
        assert_eq!(statuses("5XX"), Ok(500..=599));
        for text in ["", "xx", "0xx", "6xx", "20x", "99", "600", "2xxx", "-1", "ok"] {
            assert!(statuses(text).is_err(), "{text}");
        }
    }
    #[test]
    fn a_body_that_can_be_read_only_once_is_the_same_each_time() {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            request: RequestArgs,
        }
        for flag in ["--body-file=", "--body=@"] {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(b"whole").unwrap();
            drop(writer);
            let flag = format!("{flag}/proc/self/fd/{}", reader.as_raw_fd());
            let Flags { request } = Flags::try_parse_from(["run", &flag]).unwrap();
            let quick = Quick::new(Level::Rate(1.0), QUICK, Vec::new());
            assert_eq!(request.of(quick).unwrap().body.as_deref(), Some("whole"));
            let mut parcel = Parcel::default();
            let packed = request.packed(&mut parcel).unwrap();
            assert_eq!(parcel.content(BODY), Some(&b"whole"[..]));
            assert_eq!(packed.body_file, Some(PathBuf::from(BODY)));
        }
    }
}
