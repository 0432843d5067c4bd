//! Chooses the scenarios to run: built-in ones by name, one from a file, or a quick one from flags.

use std::time::Duration;

use super::{
    load_args::parse_rate,
    masked_url::MaskedUrl,
    parcel::PackError,
    request_args::{BodyError, RequestArgs, TwoLengths},
};
use crate::{
    duration,
    exit::{Code, CommandError},
};
use vas_loadtest::{
    distributed::parcel::Parcel,
    http::{Target, masked},
    scenario::{
        hosts::Hosts,
        model::{Scenario, Think, Threshold},
        quick::{Level, Quick, QuickError},
    },
    selection::{self, Changes, SelectionError, select},
};

/// The load to send.
#[derive(Clone, Debug, clap::Args, serde::Serialize, serde::Deserialize)]
#[command(next_help_heading = "Load")]
pub(super) struct ScenarioArgs {
    /// A scenario of `vas test list`, a suite (quick, all), or a file. Or a URL: one request to it, again and
    /// again, by --rate or --users; then --target is left out
    #[arg(value_name = "SCENARIO|FILE|URL")]
    what: Option<What>,
    /// Requests per second, whatever the service does (open model)
    #[arg(long, value_name = "RATE", value_parser = parse_rate, conflicts_with = "users")]
    rate: Option<f64>,
    /// Users, each of whom sends the next request after an answer (closed model)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    users: Option<u32>,
    /// Pause of a user after each answer: 2s, or 2s-10s for one drawn evenly
    #[arg(long, value_name = "DURATION", requires = "users")]
    think: Option<Think>,
    /// How long requests are sent. Default: 30s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_exact)]
    duration: Option<Duration>,
    /// Run a scenario in this share of its time: 0.1 makes ten minutes one
    #[arg(long, value_name = "SHARE", value_parser = parse_rate)]
    scale: Option<f64>,
    /// Run a scenario with this share of its users or rate
    #[arg(long, value_name = "SHARE", value_parser = parse_rate)]
    scale_load: Option<f64>,
    /// Path and query that http-smoke, http-load, http-stress or http-spike requests. Default: the path of
    /// --target, or /
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// What has to hold besides the scenario's thresholds, such as "latency p95 < 500ms"; may be given
    /// several times
    #[serde(with = "as_texts")]
    #[arg(long = "threshold", value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
    #[command(flatten)]
    request: RequestArgs,
}

/// What is run.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
enum What {
    /// One request to this URL, again and again.
    Url(MaskedUrl),
    /// The scenario, suite or file of this name.
    Named(String),
}

impl From<String> for What {
    fn from(given: String) -> Self {
        if given.contains("://") {
            Self::Url(given.into())
        } else {
            Self::Named(given)
        }
    }
}

impl From<What> for String {
    fn from(what: What) -> Self {
        match what {
            What::Url(url) => url.into(),
            What::Named(name) => name,
        }
    }
}

/// Thresholds as they are written in a scenario.
mod as_texts {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::Threshold;

    pub(super) fn serialize<S: Serializer>(thresholds: &[Threshold], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(thresholds.iter().map(ToString::to_string))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Threshold>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let parsed = texts.iter().map(|text| text.parse());
        parsed.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// Reasons why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScenarioArgsError {
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Length(#[from] TwoLengths),
    #[error(transparent)]
    Quick(#[from] QuickError),
    #[error("no target is given: name its URL, or give --target URL beside a scenario")]
    NoTarget,
    #[error("two targets are given: leave out --target, or name a scenario instead of a URL")]
    TwoTargets,
    #[error(
        "how much load is not known: give --rate REQUESTS-PER-SECOND or --users NUMBER, or name a scenario of vas test list"
    )]
    NoLoad,
    #[error(
        "{flag} is for requests to a URL, and {name:?} is no URL such as http://127.0.0.1:8080: a scenario has a load and requests of its own (see --scale and --scale-load)"
    )]
    QuickFlag { flag: &'static str, name: String },
    #[error("{flag} is for a scenario, and none is named")]
    ScenarioFlag { flag: &'static str },
}

impl CommandError for ScenarioArgsError {
    fn code(&self) -> Code {
        Code::Invalid
    }
}

impl ScenarioArgs {
    /// The URL of the target: the one that is run, or that of `--target`.
    ///
    /// # Errors
    /// When there is none, or two.
    pub(super) fn url<'a>(
        &'a self,
        target: Option<&'a MaskedUrl>,
    ) -> Result<&'a MaskedUrl, ScenarioArgsError> {
        match (&self.what, target) {
            (Some(What::Url(_)), Some(_)) => Err(ScenarioArgsError::TwoTargets),
            (Some(What::Url(url)), None) | (_, Some(url)) => Ok(url),
            (_, None) => Err(ScenarioArgsError::NoTarget),
        }
    }

    /// The same load for the pods of a Job: what it is read from goes into the parcel.
    ///
    /// # Errors
    /// When a file cannot be read, or has no place in the pods.
    pub(super) fn packed(&self, parcel: &mut Parcel) -> Result<Self, PackError> {
        let mut packed = self.clone();
        packed.request = self.request.packed(parcel)?;
        let Some(What::Named(name)) = &self.what else {
            return Ok(packed);
        };
        let sources = selection::sources(name)?;
        for (path, content) in sources.files {
            parcel.file(&path, content)?;
        }
        for (name, value) in sources.variables {
            parcel.variable(&name, value);
        }
        if let Some(file) = sources.file {
            // As a path, because a file may have the name of a scenario of vas.
            packed.what = Some(What::Named(format!("./{file}")));
        }
        Ok(packed)
    }

    /// The scenarios in the order in which they run; at least one.
    ///
    /// # Errors
    /// When a scenario is unknown, invalid or cannot be scaled, the target has a query, or flags do not fit.
    pub(super) fn scenarios(
        &self,
        target: &Target,
        hosts: Hosts,
    ) -> Result<Vec<Scenario>, ScenarioArgsError> {
        let Some(What::Named(name)) = &self.what else {
            let scenario = self.quick(target.has_path())?;
            return Ok(vec![selection::relocated(scenario, &hosts, target)?]);
        };
        let quick_flags = [
            ("--rate", self.rate.is_some()),
            ("--users", self.users.is_some()),
            ("--duration", self.duration.is_some()),
        ];
        let quick_flag = quick_flags.into_iter().find(|(_, given)| *given);
        if let Some(flag) = quick_flag.map(|(flag, _)| flag).or(self.request.given()) {
            let name = masked(name);
            return Err(ScenarioArgsError::QuickFlag { flag, name });
        }
        let changes = Changes {
            time: self.scale.unwrap_or(1.0),
            load: self.scale_load.unwrap_or(1.0),
            thresholds: self.thresholds.clone(),
            path: self.path.clone(),
            hosts,
        };
        Ok(select(name, &changes, target)?)
    }

    /// One request, again and again.
    fn quick(&self, has_path: bool) -> Result<Scenario, ScenarioArgsError> {
        let scenario_flags = [
            ("--scale", self.scale.is_some()),
            ("--scale-load", self.scale_load.is_some()),
            ("--path", self.path.is_some()),
        ];
        if let Some((flag, _)) = scenario_flags.into_iter().find(|(_, given)| *given) {
            return Err(ScenarioArgsError::ScenarioFlag { flag });
        }
        let level = match (self.rate, self.users) {
            (Some(rate), _) => Level::Rate(rate),
            (None, Some(users)) => Level::Users(f64::from(users), self.think.unwrap_or_default()),
            (None, None) => return Err(ScenarioArgsError::NoLoad),
        };
        let quick = Quick {
            length: self.request.length(self.duration, level)?,
            ..Quick::new(level, Duration::ZERO, self.thresholds.clone())
        };
        Ok(self.request.of(quick)?.scenario(has_path)?)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::*;
    use vas_loadtest::http::{Protocol, TlsOptions};

    #[derive(Debug, clap::Parser)]
    struct Flags {
        #[command(flatten)]
        scenario: ScenarioArgs,
        #[arg(long)]
        target: Option<MaskedUrl>,
    }

    const URL: &str = "http://127.0.0.1:9/health";

    /// The URL that is asked and the scenarios, or the error in words.
    fn run(flags: &[&str]) -> Result<(String, Vec<Scenario>), String> {
        let flags = Flags::try_parse_from(std::iter::once(&"run").chain(flags));
        let Flags { scenario, target } = flags.map_err(|error| error.to_string())?;
        let url = scenario.url(target.as_ref()).map_err(|error| error.to_string())?;
        let tls = TlsOptions::default();
        let target = Target::parse(url.shown(), Protocol::Http1, &tls, Path::new("")).unwrap();
        let scenarios = scenario
            .scenarios(&target, Hosts::new())
            .map_err(|error| error.to_string())?;
        Ok((url.shown().to_owned(), scenarios))
    }

    #[test]
    fn a_url_and_a_rate_are_enough() {
        for flags in [
            &[URL, "--rate", "5", "--duration", "2s"][..],
            &["--rate=5", "--duration=2s", URL],
            &["--target", URL, "--rate=5", "--duration=2s"],
        ] {
            let (url, scenarios) = run(flags).unwrap();
            assert_eq!((url.as_str(), scenarios[0].name.as_str()), (URL, "quick"));
            let profile = scenarios[0].load.profile();
            assert!((profile.total() - 10.0).abs() < 1e-9, "{flags:?}");
        }
        let (_, suite) = run(&["quick", "--target", "http://127.0.0.1:9", "--scale=0.5"]).unwrap();
        assert_eq!(suite.len(), 2);
    }

    #[test]
    fn the_missing_flag_is_named() {
        for (flags, words) in [
            (&[URL][..], "--rate REQUESTS-PER-SECOND or --users"),
            (&["--rate=5"][..], "--target URL"),
            (&["smoke"][..], "--target URL"),
            (&[URL, "--target", URL, "--rate=5"][..], "leave out --target"),
            (
                &["127.0.0.1:9", "--target", URL, "--rate=5"][..],
                "is no URL such as http://",
            ),
            (&["nothing", "--target", URL][..], "nor a URL such as http://"),
            (
                &["smoke", "--target", URL, "--users=5"][..],
                "--users is for requests to a URL",
            ),
            (&[URL, "--rate=5", "--scale=0.5"][..], "--scale is for a scenario"),
            (&[URL, "--rate=5", "--path=/a"][..], "--path is for a scenario"),
            (
                &["smoke", "--target", "http://127.0.0.1:9", "--path=/a"][..],
                "--path is for http-smoke",
            ),
            (
                &[URL, "--rate=0"][..],
                "'--rate <RATE>': must be a number more than 0",
            ),
            (&[URL, "--users=0"][..], "--users"),
            (
                &[URL, "--rate=5", "--threshold=step x: errors < 1%"][..],
                "no step is called \"x\"; there are \"GET\"",
            ),
        ] {
            let error = run(flags).unwrap_err();
            assert!(error.contains(words), "{flags:?}: {error}");
        }
    }

    #[test]
    fn a_file_with_the_name_of_a_scenario_of_vas_is_a_file_in_the_pods_too() {
        let folder = std::env::temp_dir().join(format!("vas-packed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = "load: {rate: [{duration: 1s, at: 1}]}\njourneys: [{name: a, steps: [{get: /own}]}]\n";
        std::fs::write(folder.join("smoke"), text).unwrap();
        let file = folder.join("smoke").display().to_string();
        let flags = Flags::try_parse_from(["run", &file]).unwrap();
        let mut parcel = Parcel::default();
        let packed = flags.scenario.packed(&mut parcel);
        std::fs::remove_dir_all(&folder).unwrap();
        let what = packed.unwrap().what.map(String::from);
        assert_eq!(
            what.as_deref(),
            Some("./smoke"),
            "smoke alone is the scenario of vas"
        );
        assert_eq!(parcel.content("smoke"), Some(text.as_bytes()));
    }

    #[test]
    fn what_comes_through_a_pipe_is_not_given_to_pods() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(writer);
        let file = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        let flags = Flags::try_parse_from(["run", &file]).unwrap();
        let error = flags
            .scenario
            .packed(&mut Parcel::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("is no regular file"), "{error}");
    }

    #[test]
    fn credentials_in_what_was_meant_as_a_url_are_not_shown() {
        for flags in [
            &["user:s3cret@127.0.0.1:9", "--target", URL][..],
            &["user:s3cret@127.0.0.1:9", "--target", URL, "--rate=5"],
        ] {
            let error = run(flags).unwrap_err();
            assert!(
                error.contains("***@127.0.0.1:9") && !error.contains("s3cret"),
                "{error}"
            );
        }
    }
}
