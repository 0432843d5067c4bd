//! Finds scenarios by what users name: a built-in scenario, a suite of several, or a file.

use std::{cell::RefCell, collections::BTreeMap, io, path::Path, time::Duration};

use super::{
    engine::{self, EngineError},
    files,
    http::{Target, masked},
    scenario::{
        ScenarioError, builtin,
        hosts::Hosts,
        model::{Action, Scenario, Threshold},
        parse, parse_in, path_of_flag,
        problem::Problem,
        quick::{self, Level},
        scaled::ScaleError,
        template::Template,
        threshold::MisfitError,
    },
};

/// Thresholds where neither a scenario nor the user gives any.
const OBJECTIVE: [&str; 2] = ["latency p95 < 500ms", "errors < 1%"];

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// The scenario is invalid.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The scenario cannot be scaled so.
    #[error(transparent)]
    Scale(#[from] ScaleError),
    /// The name is neither a scenario, nor a suite, nor a readable file.
    #[error(
        "{name:?} is neither a scenario of vas ({}) nor a suite (quick, all) nor a URL such as http://127.0.0.1:8080 nor a file: {error}",
        builtin::NAMES.join(", ")
    )]
    Unknown {
        /// The name as given, with credentials masked: it may be a URL without its scheme.
        name: String,
        /// The error when it was opened as a file.
        error: io::Error,
    },
    /// A threshold is on something that the scenario does not have.
    #[error("--threshold {threshold:?}: {misfit} in scenario {scenario}")]
    Threshold {
        /// The threshold, as the user wrote it.
        threshold: String,
        /// Name of the scenario.
        scenario: String,
        /// What it does not have.
        misfit: MisfitError,
    },
    /// A request cannot be sent as it is.
    #[error("{scenario}: {error}")]
    Unsendable {
        /// Name of the scenario.
        scenario: String,
        /// The step, and what is wrong with it.
        error: EngineError,
    },
    /// A URL is given for a host that the scenario does not have.
    #[error("--host {name}: scenario {scenario} has no host of this name{}", known(.hosts))]
    Host {
        /// Name of the host, as given.
        name: String,
        /// Name of the scenario.
        scenario: String,
        /// Names of its hosts.
        hosts: Vec<String>,
    },
    /// A path is given for a scenario that has paths of its own.
    #[error(
        "--path is for {}: the steps of {name:?} have paths of their own",
        builtin::ANY_SERVICE.join(", ")
    )]
    OwnPaths {
        /// The name, as given.
        name: String,
    },
    /// The path cannot be requested.
    #[error("{0}")]
    Path(Problem),
    /// The target has a query, and a path cannot be appended to that.
    #[error("--target: a scenario's paths cannot be put behind a query; give it in the path of each step")]
    Query,
}

fn known(hosts: &[String]) -> String {
    if hosts.is_empty() {
        String::new()
    } else {
        format!(": it has {}", hosts.join(", "))
    }
}

/// How a scenario is changed before it runs.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Share of its time.
    pub time: f64,
    /// Share of its users or rate.
    pub load: f64,
    /// Thresholds besides its own.
    pub thresholds: Vec<Threshold>,
    /// Path and query that a scenario for any service requests; `None` for that of the target.
    pub path: Option<String>,
    /// URLs of its other hosts, instead of its own.
    pub hosts: Hosts,
}

/// The scenarios of this name, in the order in which they run; at least one.
///
/// # Errors
/// When a scenario is unknown, invalid or cannot be scaled, or the target has a query.
pub fn select(name: &str, changes: &Changes, target: &Target) -> Result<Vec<Scenario>, SelectionError> {
    no_query(target)?;
    let names = match builtin::suite(name) {
        Some(members) => members.to_vec(),
        None => vec![name],
    };
    let one = |name: &str| -> Result<Scenario, SelectionError> {
        let mut scenario =
            load_at(name, changes.path.as_deref(), target)?.scaled(changes.time, changes.load)?;
        scenario.thresholds.extend(changes.thresholds.iter().cloned());
        relocated(scenario, &changes.hosts, target)
    };
    names.into_iter().map(one).collect()
}

/// The journeys and thresholds of a scenario, for tests that make a load of their own. Without a name, the
/// journey is one request. Thresholds that are given replace those of the scenario.
///
/// # Errors
/// As [`select`].
pub fn journeys(
    name: Option<&str>,
    thresholds: &[Threshold],
    hosts: &Hosts,
    target: &Target,
) -> Result<Scenario, SelectionError> {
    let mut scenario = if let Some(name) = name {
        no_query(target)?;
        load_at(name, None, target)?
    } else {
        let has_path = target.has_path();
        quick::scenario(Level::Rate(1.0), Duration::from_secs(1), has_path, Vec::new())
    };
    if !thresholds.is_empty() {
        scenario.thresholds = thresholds.to_vec();
    } else if scenario.thresholds.is_empty() {
        scenario.thresholds = OBJECTIVE.iter().filter_map(|text| text.parse().ok()).collect();
    }
    scenario.iterations = None;
    relocated(scenario, hosts, target)
}

/// The scenario with the URLs of its other hosts replaced by these, if it can be run then; see `check`.
///
/// # Errors
/// When it has no host of a name, or as `check`.
pub fn relocated(mut scenario: Scenario, hosts: &Hosts, target: &Target) -> Result<Scenario, SelectionError> {
    for (name, url) in hosts {
        match scenario.hosts.get_mut(name) {
            Some(host) => host.clone_from(url),
            None => {
                return Err(SelectionError::Host {
                    name: name.clone(),
                    scenario: scenario.name.clone(),
                    hosts: scenario.hosts.keys().cloned().collect(),
                });
            }
        }
    }
    check(&scenario, target)?;
    Ok(scenario)
}

/// Finds what would be noticed only when a run begins, or when it is judged: thresholds that do not fit, and
/// requests that cannot be sent.
///
/// # Errors
/// The first thing that is wrong.
fn check(scenario: &Scenario, target: &Target) -> Result<(), SelectionError> {
    for threshold in &scenario.thresholds {
        let fits = threshold.fits(&scenario.journeys);
        fits.map_err(|misfit| SelectionError::Threshold {
            threshold: threshold.to_string(),
            scenario: scenario.name.clone(),
            misfit,
        })?;
    }
    engine::check(scenario, target).map_err(|error| SelectionError::Unsendable {
        scenario: scenario.name.clone(),
        error,
    })
}

/// Refuses a target with a query, because the path of a step cannot be appended to a query.
fn no_query(target: &Target) -> Result<(), SelectionError> {
    if target.has_query() {
        return Err(SelectionError::Query);
    }
    Ok(())
}

/// Loads a scenario. One for any service requests `path`, or else the path in the target's URL, or else `/`.
fn load_at(name: &str, path: Option<&str>, target: &Target) -> Result<Scenario, SelectionError> {
    let mut scenario = load(name)?;
    if !builtin::ANY_SERVICE.contains(&name) {
        return match path {
            Some(_) => Err(SelectionError::OwnPaths {
                name: name.to_owned(),
            }),
            None => Ok(scenario),
        };
    }
    let (name, path) = match path {
        Some(path) => (
            format!("GET {path}"),
            path_of_flag("--path", path).map_err(SelectionError::Path)?,
        ),
        // The engine appends the path of a step to the path of the target.
        None if target.has_path() => ("GET".to_owned(), Template::text("")),
        None => return Ok(scenario),
    };
    for step in scenario
        .journeys
        .iter_mut()
        .flat_map(|journey| &mut journey.steps)
    {
        if let Action::Request(request) = &mut step.action {
            request.path = path.clone();
            step.name.clone_from(&name);
        }
    }
    Ok(scenario)
}

/// Loads a built-in scenario, or one from a file.
///
/// # Errors
/// When there is none of this name, or it is invalid.
pub fn load(name: &str) -> Result<Scenario, SelectionError> {
    load_in(name, &variable)
}

/// The same to be looked at and not to run: variables of the environment need not be set.
///
/// # Errors
/// As [`load`].
pub fn load_to_show(name: &str) -> Result<Scenario, SelectionError> {
    load_in(name, &|_| Some("x".to_owned()))
}

/// Everything that a scenario is read from.
#[derive(Default)]
pub struct Sources {
    /// The name of its file, without folders; `None` for a scenario of vas.
    pub file: Option<String>,
    /// Its text and the files beside it, by the names that the scenario has for them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Variables of the environment, with their values.
    pub variables: BTreeMap<String, String>,
}

/// Reads a scenario again, and returns what it is read from.
///
/// # Errors
/// As [`load`]; when a file is no regular one, which may be empty by now.
pub fn sources(name: &str) -> Result<Sources, SelectionError> {
    if builtin::find(name).is_some() {
        return Ok(Sources::default());
    }
    let (files, variables) = (RefCell::default(), RefCell::default());
    let path = Path::new(name);
    let (text, stem) = text_of(path, files::read_again)?;
    let beside = |file: &str| {
        let content = beside(path, file, files::read_again)?;
        let known: &mut BTreeMap<_, _> = &mut files.borrow_mut();
        known.insert(file.to_owned(), content.clone());
        Ok(content)
    };
    let value = |name: &str| {
        let value = variable(name)?;
        let known: &mut BTreeMap<_, _> = &mut variables.borrow_mut();
        known.insert(name.to_owned(), value.clone());
        Some(value)
    };
    parse_in(&text, &stem, &beside, &value)?;
    let mut files = files.into_inner();
    let file = path.file_name().map(|file| file.to_string_lossy().into_owned());
    if let Some(file) = &file {
        files.insert(file.clone(), text.into_bytes());
    }
    Ok(Sources {
        file,
        files,
        variables: variables.into_inner(),
    })
}

fn load_in(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Scenario, SelectionError> {
    let no_files = |_: &str| Err("a scenario of vas has no files".to_owned());
    if let Some(builtin) = builtin::find(name) {
        return Ok(parse(builtin.text, name, &no_files)?);
    }
    let path = Path::new(name);
    let (text, stem) = text_of(path, files::read)?;
    let beside = |file: &str| beside(path, file, files::read);
    Ok(parse_in(&text, &stem, &beside, variable)?)
}

/// How a file is read.
type Read = fn(&Path) -> io::Result<Vec<u8>>;

/// The text of a scenario's file, and the name of the scenario.
fn text_of(path: &Path, read: Read) -> Result<(String, String), SelectionError> {
    let name = path.to_string_lossy();
    let text = read(path).and_then(files::text);
    let text = text.map_err(|error| SelectionError::Unknown {
        name: masked(&name),
        error,
    })?;
    let stem = path
        .file_stem()
        .map_or(name.clone(), |stem| stem.to_string_lossy());
    Ok((text, stem.into_owned()))
}

/// The content of a file beside a scenario.
fn beside(path: &Path, file: &str, read: Read) -> Result<Vec<u8>, String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    read(&folder.join(file)).map_err(|error| error.to_string())
}

/// The value of a variable of the environment; `None` also where it is not UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "which variables are read is known when the scenario is, as with its files"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Protocol, TlsOptions};

    fn target() -> Target {
        let tls = TlsOptions::default();
        Target::parse("http://127.0.0.1:9", Protocol::Http1, &tls, Path::new("")).unwrap()
    }

    fn selected(name: &str, threshold: &str) -> Result<Vec<Scenario>, String> {
        let changes = Changes {
            time: 1.0,
            load: 1.0,
            thresholds: vec![threshold.parse().unwrap()],
            path: None,
            hosts: Hosts::new(),
        };
        select(name, &changes, &target()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_threshold_that_does_not_fit_is_found_before_anything_runs() {
        let error = selected("api-journey", "step log im: errors < 1%").unwrap_err();
        for words in [
            "--threshold \"step log im: errors < 1%\"",
            "no step is called \"log im\"",
            "\"log in\"",
            "in scenario api-journey",
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
        let error = selected("smoke", "ws_held >= 99%").unwrap_err();
        assert!(error.contains("no step is a websocket"), "{error}");
        assert!(selected("api-journey", "step log in: errors < 1%").is_ok());
        let given = ["step log in: errors < 1%".parse().unwrap()];
        let error = journeys(None, &given, &Hosts::new(), &target())
            .unwrap_err()
            .to_string();
        assert!(error.contains("no step is called"), "{error}");
    }

    /// The name of the only step and its path, or the error in words.
    fn requested(name: &str, path: Option<&str>, url: &str) -> Result<(String, String), String> {
        let tls = TlsOptions::default();
        let target = Target::parse(url, Protocol::Http1, &tls, Path::new("")).unwrap();
        let changes = Changes {
            time: 1.0,
            load: 1.0,
            thresholds: Vec::new(),
            path: path.map(str::to_owned),
            hosts: Hosts::new(),
        };
        let scenarios = select(name, &changes, &target).map_err(|error| error.to_string())?;
        let step = scenarios[0].journeys[0].steps[0].clone();
        let Action::Request(request) = step.action else {
            panic!("it is a request");
        };
        Ok((step.name, request.path.constant().unwrap().to_owned()))
    }

    #[test]
    fn a_scenario_for_any_service_requests_the_path_that_is_given() {
        let host = "http://127.0.0.1:9";
        for (path, url, name, requested_path) in [
            (None, host, "GET /", "/"),
            (Some("/a?b=1"), host, "GET /a?b=1", "/a?b=1"),
            (None, "http://127.0.0.1:9/health", "GET", ""),
            (Some("/b"), "http://127.0.0.1:9/api", "GET /b", "/b"),
        ] {
            let found = requested("http-load", path, url);
            assert_eq!(
                found,
                Ok((name.to_owned(), requested_path.to_owned())),
                "{url} {path:?}"
            );
        }
        for (name, path, words) in [
            ("http-load", "health", "--path: \"health\" must begin with /"),
            (
                "http-load",
                "/{{token}}",
                "--path: {{token}} has no value: only user, iteration have one",
            ),
            ("http-load", "/{{user", "--path: "),
            ("http-load", "/a<b>", "%3C"),
            (
                "smoke",
                "/a",
                "--path is for http-smoke, http-load, http-stress, http-spike",
            ),
        ] {
            let error = requested(name, Some(path), host).unwrap_err();
            assert!(error.contains(words), "{name} {path}: {error}");
        }
    }

    #[test]
    fn a_request_that_cannot_be_sent_is_found_before_anything_runs() {
        let mut scenario = load("smoke").unwrap();
        scenario.journeys[0].headers = vec![(
            "x-a".to_owned(),
            crate::scenario::template::Template::text("line\nbreak"),
        )];
        let error = check(&scenario, &target()).unwrap_err().to_string();
        assert!(error.contains("smoke: step ") && error.contains("x-a"), "{error}");
    }
}
