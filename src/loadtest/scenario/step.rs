//! Reads one step of a scenario file, and checks that all its variables have a value when it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::StepDocument,
    environment::Environment,
    extract::Extract,
    form,
    inputs::{GIVEN, Inputs},
    model::{Action, Journey, Known, Request, Statuses, Step, Think},
    problem::{Problem, Problems},
    sources::File,
    template::{Template, is_word},
    websocket,
};
use vas_core::k8s::percent::encode;

/// Reads a step that is done alone.
pub(super) fn parse(path: &str, document: &StepDocument, file: File<'_>, problems: &mut Problems) -> Step {
    let methods = [
        ("GET", &document.get),
        ("HEAD", &document.head),
        ("POST", &document.post),
        ("PUT", &document.put),
        ("PATCH", &document.patch),
        ("DELETE", &document.delete),
        ("OPTIONS", &document.options),
    ];
    let mut given = methods
        .into_iter()
        .filter_map(|(method, path)| Some((method, path.as_ref()?)));
    let (request, second) = (given.next(), given.next());
    let (name, action) = match (request, second, &document.websocket) {
        (Some((method, target)), None, None) => (
            format!("{method} {target}"),
            Action::Request(self::request(path, method, target, document, file, problems)),
        ),
        (None, None, Some(websocket)) => {
            no_request(path, document, problems);
            let headers = headers(&format!("{path}.headers"), &document.headers, problems);
            let field = format!("{path}.websocket");
            (
                format!("WebSocket {}", websocket.path),
                Action::WebSocket(websocket::read(&field, websocket, headers, problems)),
            )
        }
        _ => {
            problems.add(
                path,
                "must have exactly one of get, head, post, put, patch, delete, options, websocket and parallel",
            );
            (
                path.to_owned(),
                Action::Request(self::request(path, "GET", "/", document, file, problems)),
            )
        }
    };
    let host = document.host.clone();
    // The same path of two hosts is two steps.
    let name = match &host {
        Some(host) => format!("{name} ({host})"),
        None => name,
    };
    Step {
        name: document.name.clone().unwrap_or(name),
        once: document.once,
        weight: document.weight,
        batch: None,
        host,
        action,
        think: document
            .think
            .as_deref()
            .map(|text| problems.or(&format!("{path}.think"), text.parse(), Think::default())),
    }
}

/// What is wrong with a step that stands alone; `None` for one that a scenario can have. Each variable of the
/// environment has a value.
pub(crate) fn problem(document: &StepDocument) -> Option<Problem> {
    let mut problems = Problems::new(Environment::new(&|_| Some("x".to_owned())));
    let no_files = |_: &str| Err("it stands alone".to_owned());
    parse("step", document, &no_files, &mut problems);
    problems.into_result().err()?.into_iter().next()
}

/// Refuses fields of a request beside a WebSocket, where they would have no effect.
fn no_request(path: &str, document: &StepDocument, problems: &mut Problems) {
    for (field, given) in [
        ("body", document.body.is_some()),
        ("bodyFile", document.body_file.is_some()),
        ("form", !document.form.is_empty()),
        ("multipart", !document.multipart.is_empty()),
        ("expect", !document.expect.is_empty()),
        ("extract", !document.extract.is_empty()),
        ("follow", document.follow.is_some()),
    ] {
        if given {
            problems.add(format!("{path}.{field}"), "a websocket has none");
        }
    }
    if !document.checks.is_empty() {
        problems.add(
            format!("{path}.checks"),
            "a websocket has none; wait for a message with {await: contains TEXT} in websocket.sequence",
        );
    }
}

fn request(
    path: &str,
    method: &str,
    target: &str,
    document: &StepDocument,
    file: File<'_>,
    problems: &mut Problems,
) -> Request {
    let field = format!("{path}.{}", method.to_ascii_lowercase());
    let mut headers = headers(&format!("{path}.headers"), &document.headers, problems);
    let content = form::body(path, document, file, problems);
    if let Some(kind) = content.kind {
        if headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            problems.add(
                format!("{path}.headers"),
                "must not have a Content-Type beside form or multipart, which have their own",
            );
        }
        headers.push(("content-type".to_owned(), Template::text(&kind)));
    }
    Request {
        method: method.to_owned(),
        path: below_target(&field, target, problems),
        headers,
        body: content.body,
        expect: if let Some(refused) = first_beyond(&document.expect) {
            let path = format!("{path}.expect[{}]", refused.0);
            problems.add(
                path,
                format!("{} is not an HTTP status; use 100 to 599", refused.1),
            );
            Statuses::Success
        } else {
            Statuses::of(document.expect.clone())
        },
        extract: document
            .extract
            .iter()
            .map(|(name, from)| {
                variable(&format!("{path}.extract"), name, problems);
                let path = format!("{path}.extract.{name}");
                (
                    name.clone(),
                    problems.or(&path, from.parse(), Extract::Json(String::new())),
                )
            })
            .collect(),
        checks: document
            .checks
            .iter()
            .enumerate()
            .filter_map(|(index, text)| problems.check(&format!("{path}.checks[{index}]"), text))
            .collect(),
        follow: document.follow,
    }
}

/// The first value that is not an HTTP status, with its index.
fn first_beyond(statuses: &[u16]) -> Option<(usize, u16)> {
    let mut all = statuses.iter().copied().enumerate();
    all.find(|(_, status)| !(100..600).contains(status))
}

/// Refuses names that a template cannot contain.
fn variable(path: &str, name: &str, problems: &mut Problems) {
    if !is_word(name) {
        problems.add(
            path,
            format!("{name:?} is not the name of a variable: use letters, digits and \"_\""),
        );
    }
}

/// Reads a path that is added to the target.
pub(super) fn below_target(path: &str, text: &str, problems: &mut Problems) -> Template {
    if !text.starts_with('/') {
        problems.add(path, format!("{text:?} must begin with /"));
    }
    if let Some(char) = unsendable(text) {
        let encoded = encode(&char.to_string());
        problems.add(
            path,
            format!("{text:?} must not have spaces, control characters or any of # < > `: write {encoded} for {char:?}"),
        );
    }
    problems.template(path, text)
}

/// Reads a path that is given by a flag. No step extracts its variables, so it can have those alone that every
/// user has.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn path_of_flag(flag: &str, text: &str) -> Result<Template, Problem> {
    let mut problems = Problems::new(Environment::new(&|_| None));
    let template = below_target(flag, text, &mut problems);
    for name in template.variables().filter(|name| !GIVEN.contains(name)) {
        problems.add(
            flag,
            format!("{{{{{name}}}}} has no value: only {} have one", GIVEN.join(", ")),
        );
    }
    match problems
        .into_result()
        .err()
        .and_then(|found| found.into_iter().next())
    {
        Some(problem) => Err(problem),
        None => Ok(template),
    }
}

/// The first character that cannot be sent in a path and its query. In a query `>` and a backtick can.
fn unsendable(text: &str) -> Option<char> {
    let mut in_query = false;
    outside_variables(text).find(|char| {
        in_query |= *char == '?';
        let refused = if in_query { "#<" } else { "#<>`" };
        char.is_whitespace() || char.is_control() || refused.contains(*char)
    })
}

/// The characters outside `{{` and `}}`.
fn outside_variables(text: &str) -> impl Iterator<Item = char> {
    let parts = text.split("{{").enumerate();
    let texts = parts.map(|(index, part)| match part.split_once("}}") {
        // The first part stands before any `{{`, so a `}}` in it closes nothing.
        Some((_, behind)) if index > 0 => behind,
        _ => part,
    });
    texts.flat_map(str::chars)
}

/// Refuses steps of the same name in one journey: reports could not tell them apart.
pub(super) fn names(path: &str, journey: &Journey, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (step, field) in journey.steps.iter().zip(journey.fields()) {
        let path = format!("{path}.{field}.name");
        if step.name.trim() != step.name || step.name.is_empty() {
            problems.add(path, "must not be empty, nor begin or end with a space");
        } else if !seen.insert(step.name.as_str()) {
            problems.add(
                path,
                format!(
                    "{:?} is there twice; give each step of a journey a name of its own",
                    step.name
                ),
            );
        }
    }
}

/// Refuses weights that choose nothing.
pub(super) fn weights(path: &str, journey: &Journey, problems: &mut Problems) {
    for (index, (step, field)) in journey.steps.iter().zip(journey.fields()).enumerate() {
        let path = format!("{path}.{field}.weight");
        if step.weight.is_none() {
            continue;
        }
        let alternatives = journey.alternatives(index);
        if step.once {
            problems.add(
                &path,
                "must not stand beside once: it is done again in other turns",
            );
        }
        if alternatives.len() == 1 {
            problems.add(
                &path,
                "is that of one step alone: give weights to several steps that follow each other, of which each turn does one",
            );
        } else if alternatives.iter().all(|step| step.weight == Some(0)) {
            problems.add(&path, "must not be 0 for all steps that follow each other");
        }
    }
}

/// Refuses variables that neither the inputs nor an earlier step of the journey sets, and those that both do.
pub(super) fn variables(path: &str, journey: &Journey, inputs: &Inputs, problems: &mut Problems) {
    let mut all = Known::default();
    for (step, field) in journey.steps.iter().zip(journey.fields()) {
        let known = all.before(step);
        let path = format!("{path}.{field}");
        // Headers of the journey are checked at the end: they are only sent once a step has set their
        // variables.
        for name in step.action.variables() {
            if !known.contains(name) && !inputs.has(name) {
                problems.add(&path, inputs.missing(name));
            }
        }
        if let Action::Request(request) = &step.action {
            for name in request.extract.keys().filter(|name| inputs.has(name)) {
                problems.add(
                    format!("{path}.extract"),
                    format!(
                        "{name} has a value from elsewhere (user, iteration, values or setup); choose another name"
                    ),
                );
            }
        }
    }
    let known = all.after();
    let headers = journey.headers.iter();
    for name in headers.flat_map(|(_, value)| value.variables()) {
        if !known.contains(name) && !inputs.has(name) {
            problems.add(format!("{path}.headers"), inputs.missing(name));
        }
    }
}
/// Reads the names and values of headers.
///
/// Refuses what HTTP would refuse when the header is sent (RFC 9110, section 5.1).
pub(super) fn headers(
    path: &str,
    headers: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<(String, Template)> {
    headers
        .iter()
        .map(|(name, value)| {
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(token) {
                problems.add(path, format!("{name:?} is not the name of a header"));
            }
            let field = format!("{path}.{name}");
            let template = problems.template(&field, value);
            // The value of an environment variable often ends with a line break.
            if template.texts().any(|text| text.chars().any(char::is_control)) {
                problems.add(field, "must not have line breaks or other control characters");
            }
            (name.clone(), template)
        })
        .collect()
}
