//! An `OpenAPI` document (3.x, or Swagger 2.0): each operation whose parameters and body have examples
//! becomes a step of one journey.

mod example;
mod list;
mod security;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use self::example::Document;
use super::{
    ImportError, Imported, LeftOut, MOST_STEPS, address,
    credentials::Place,
    scenario::{Call, Journey, Scenario, Step},
    secret::{self, Secrets},
    sendable::Sendable,
    some_thresholds, some_users, text,
};
use vas_core::k8s::percent::encode;

/// Keys of a path item that are operations.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Why a part with a reference cannot be taken.
const ELSEWHERE: &str = "a $ref of it leads out of this document, or nowhere: put the parts into one file";

/// Writes the scenario of an `OpenAPI` document.
///
/// # Errors
/// When it is no such document, or no operation can be taken.
pub fn import(file: &Value) -> Result<Imported, ImportError> {
    let expected = "an OpenAPI document";
    if file.get("openapi").is_none() && file.get("swagger").is_none() {
        let why = "the field openapi (or swagger) is missing";
        return Err(ImportError::Kind { expected, why });
    }
    let Some(paths) = file.get("paths").and_then(Value::as_object) else {
        let why = "the field paths is missing";
        return Err(ImportError::Kind { expected, why });
    };
    let document = Document(file);
    let (mut steps, mut left_out, mut secrets) = (Vec::new(), Vec::new(), Secrets::default());
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        match document.resolve(item).and_then(Value::as_object) {
            Some(item) => operations.extend(self::operations(document, path, item)),
            None => left_out.push(LeftOut::new(path, ELSEWHERE)),
        }
    }
    if operations.len() > MOST_STEPS {
        return Err(ImportError::Many {
            found: operations.len(),
        });
    }
    let mut sendable = Sendable::default();
    for operation in &operations {
        let step = operation.step(&mut secrets);
        match step.and_then(|step| sendable.take(step)) {
            Ok(step) => steps.push(step),
            Err(why) => left_out.push(LeftOut::new(
                format!("{} {}", operation.method.to_ascii_uppercase(), operation.path),
                why,
            )),
        }
    }
    if steps.is_empty() {
        return Err(ImportError::Nothing(left_out));
    }
    let to_do: BTreeSet<&String> = operations
        .iter()
        .filter_map(|operation| operation.credentials.as_ref().err())
        .collect();
    let to_do = to_do.into_iter().cloned().collect();
    let title = file
        .pointer("/info/title")
        .and_then(Value::as_str)
        .unwrap_or("an API");
    let description = format!("the operations of {}, one after another", text::one_line(title));
    Ok(Imported {
        variables: secrets.needed(&steps),
        scenario: Scenario {
            hosts: BTreeMap::new(),
            description,
            load: Some(some_users()),
            loads: Vec::new(),
            thresholds: some_thresholds(),
            journeys: vec![Journey::of("api", Some("1s"), steps)],
        },
        target: target(file),
        left_out,
        to_do,
    })
}

/// The first server with a whole URL, without user, password and query.
fn target(file: &Value) -> Option<String> {
    let whole = |url: &str| {
        let address = address::parse(url).ok().filter(|_| !url.contains('{'))?;
        let path = address.path.split('?').next().unwrap_or_default();
        Some(format!("{}{}", address.origin, path.trim_end_matches('/')))
    };
    let servers = file
        .get("servers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut urls = servers.filter_map(|server| server.get("url")?.as_str());
    urls.find_map(whole).or_else(|| {
        let host = file.get("host")?.as_str()?;
        let base = file.get("basePath").and_then(Value::as_str).unwrap_or_default();
        let scheme = file
            .pointer("/schemes/0")
            .and_then(Value::as_str)
            .unwrap_or("https");
        whole(&format!("{scheme}://{host}{base}"))
    })
}

/// One operation of one path.
struct Operation<'a> {
    document: Document<'a>,
    method: &'a str,
    path: &'a str,
    /// Parameters of the path, then those of the operation, which replace equal ones.
    parameters: Vec<&'a Value>,
    own: &'a Map<String, Value>,
    /// Where its credentials are, or what the user has to do about them.
    credentials: Result<Vec<Place>, String>,
    /// Why it cannot be taken, where that is known from the path.
    refused: Option<&'static str>,
}

fn operations<'a>(document: Document<'a>, path: &'a str, item: &'a Map<String, Value>) -> Vec<Operation<'a>> {
    let parameters = |object: &'a Map<String, Value>| {
        let list = object.get("parameters").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|parameter| document.resolve(parameter))
    };
    let found = METHODS
        .into_iter()
        .filter_map(|method| Some((method, item.get(method)?.as_object()?)));
    found
        .map(|(method, own)| {
            let same =
                |one: &Value, other: &Value| ["name", "in"].iter().all(|key| one.get(key) == other.get(key));
            let replaced = |parameter: &Value| parameters(own).any(|other| same(parameter, other));
            let mut all: Vec<&Value> = parameters(item)
                .filter(|parameter| !replaced(parameter))
                .collect();
            all.extend(parameters(own));
            let given = [item, own].map(|object| object.get("parameters").and_then(Value::as_array));
            let lost = given
                .into_iter()
                .flatten()
                .flatten()
                .any(|one| document.resolve(one).is_none());
            let elsewhere = [item, own].iter().any(|object| {
                let servers = object.get("servers").and_then(Value::as_array);
                servers.is_some_and(|servers| {
                    !servers.is_empty() && document.0.get("servers") != object.get("servers")
                })
            });
            let refused = if lost {
                Some(ELSEWHERE)
            } else {
                elsewhere.then_some("it has servers of its own: write its step with a host of hosts")
            };
            Operation {
                document,
                method,
                path,
                parameters: all,
                own,
                credentials: security::places(document, own),
                refused,
            }
        })
        .collect()
}

impl Operation<'_> {
    fn step(&self, secrets: &mut Secrets) -> Result<Step, String> {
        if let Some(why) = self.refused {
            return Err(why.to_owned());
        }
        let mut path = self.path.to_owned();
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        for parameter in &self.parameters {
            // YAML reads names such as `on` and `1` as other values than texts.
            let name = &parameter.get("name").map(example::plain).unwrap_or_default();
            let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
            let required = parameter.get("required") == Some(&Value::Bool(true)) || place == "path";
            if !required || place == "body" || place == "formData" {
                continue;
            }
            if place == "header" && secret::is_header(name) {
                // Its example, if there is one, is no secret of this service.
                headers.push((name.to_owned(), String::new()));
                continue;
            }
            let values = example::texts(self.document, parameter).ok_or_else(|| {
                format!("its {place} parameter {name} has no example that is a text or a list: give it one, or a default")
            })?;
            match place {
                "path" => path = path.replace(&format!("{{{name}}}"), &encode(&values.join(","))),
                "query" => match list::separator(parameter) {
                    Some(separator) => query.push((name.to_owned(), values.join(separator))),
                    None => query.extend(values.into_iter().map(|value| (name.to_owned(), value))),
                },
                "header" => headers.push((name.to_owned(), values.join(","))),
                _ => return Err(format!("its parameter {name} is in {place:?}")),
            }
        }
        if let Some((_, name)) = path.split_once('{') {
            let name = name.split('}').next().unwrap_or_default();
            return Err(format!("nothing describes the parameter {name} of its path"));
        }
        if !query.is_empty() {
            let pairs = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let mark = if path.contains('?') { '&' } else { '?' };
            path = secrets.address(&format!("{path}{mark}{}", text::form(pairs)));
        }
        let call = Call::of(self.method, path).ok_or_else(|| {
            format!(
                "the method {} is none that a scenario has",
                self.method.to_ascii_uppercase()
            )
        })?;
        let mut step = Step::new(call);
        step.name = self
            .own
            .get("operationId")
            .and_then(Value::as_str)
            .map(text::one_line)
            .filter(|name| !name.is_empty());
        for (name, value) in headers {
            text::header(&mut step, secrets, &name, &value)?;
        }
        self.body(&mut step, secrets)?;
        for place in self.credentials.as_deref().unwrap_or_default() {
            place.fill(&mut step, secrets);
        }
        Ok(step)
    }

    /// Puts the example of the body into a step.
    fn body(&self, step: &mut Step, secrets: &mut Secrets) -> Result<(), String> {
        let Some((kind, media)) = self.media()? else {
            return Ok(());
        };
        let value = media
            .and_then(|media| example::value(self.document, media))
            .ok_or("its body has no example: give it one")?;
        let low = kind.to_ascii_lowercase();
        let any = matches!(low.as_str(), "*/*" | "application/*");
        let is_json = any || low.ends_with("/json") || low.ends_with("+json");
        let body = match value {
            // Some documents have the JSON as text.
            Value::String(text)
                if is_json && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() =>
            {
                Value::String(text).to_string()
            }
            Value::String(text) => text,
            Value::Object(fields) if kind == "application/x-www-form-urlencoded" => {
                let fields: Vec<(&String, String)> = fields
                    .iter()
                    .map(|(name, value)| (name, example::plain(value)))
                    .collect();
                text::form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            }
            Value::Object(_) | Value::Array(_) if !is_json => {
                return Err(format!(
                    "its body is {kind}, and its example is none: give it one as a text"
                ));
            }
            other => other.to_string(),
        };
        let kind_of_text = if is_json { "application/json" } else { low.as_str() };
        step.body = Some(secrets.body(kind_of_text, &text::constant(&body)?));
        if !any && low != "application/json" {
            step.headers.insert("Content-Type".to_owned(), kind.to_owned());
        }
        Ok(())
    }

    /// The media type of the body and what describes the body; `None` for a request without one.
    fn media(&self) -> Result<Option<(&str, Option<&Value>)>, String> {
        if let Some(body) = self.own.get("requestBody") {
            let body = self.document.resolve(body).ok_or(ELSEWHERE)?;
            let Some(content) = body.get("content").and_then(Value::as_object) else {
                return Ok(None);
            };
            let json = content.iter().find(|(kind, _)| is_plain_json(kind));
            let Some((kind, media)) = json.or_else(|| content.iter().next()) else {
                return Ok(None);
            };
            if kind.starts_with("multipart/") {
                return Err("its body is a form with files".to_owned());
            }
            let kind = kind.split(';').next().unwrap_or(kind);
            return Ok(Some((kind, Some(media))));
        }
        let of = |place: &str| {
            let mut all = self.parameters.iter();
            all.find(|parameter| parameter.get("in").and_then(Value::as_str) == Some(place))
        };
        if of("formData").is_some() {
            return Err("its body is a form of Swagger 2.0".to_owned());
        }
        Ok(of("body").map(|parameter| (self.consumed(), Some(*parameter))))
    }

    /// The media type of a body in Swagger 2.0.
    fn consumed(&self) -> &str {
        const JSON: &str = "application/json";
        let own = self
            .own
            .get("consumes")
            .or_else(|| self.document.0.get("consumes"));
        let kinds = own.and_then(Value::as_array).into_iter().flatten();
        let mut kinds = kinds.filter_map(Value::as_str);
        let first = kinds.next().unwrap_or(JSON);
        if is_plain_json(first) || kinds.any(is_plain_json) {
            return JSON;
        }
        first.split(';').next().unwrap_or(first)
    }
}

fn is_plain_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}
