//! A Postman collection (format 2.0 and 2.1): its requests become the steps of one journey, in their order.
//! Variables of the collection are replaced by their values, and those without one, which Postman keeps in its
//! environments, by variables of the environment. Scripts are programs and are not taken.

mod auth;
mod unknown;
mod url;
mod variables;

use std::collections::BTreeSet;

use serde_json::Value;

use self::variables::Variables;
use super::{
    ImportError, Imported, LeftOut, MOST_STEPS, address,
    others::Others,
    scenario::{Call, Journey, Scenario, Step},
    secret::Secrets,
    sendable::Sendable,
    some_thresholds, some_users, text,
};
use vas_core::k8s::percent::encode;

/// Deepest folder that is read.
const DEPTH: usize = 32;
/// Why scripts are not taken.
const NO_PROGRAMS: &str = "a scenario has no programs: see extract and checks of a step";

/// Writes the scenario of a collection.
///
/// # Errors
/// When it is no collection, no request can be taken, or none goes to one of the other hosts.
pub fn import(file: &Value, others: &Others) -> Result<Imported, ImportError> {
    // An export of Postman's API has the collection inside.
    let file = file.get("collection").unwrap_or(file);
    let Some(items) = file.get("item").and_then(Value::as_array) else {
        return Err(ImportError::Kind {
            expected: "a Postman collection",
            why: "the field item is missing",
        });
    };
    let mut collected = Collected::default();
    collected.add(items, "", auth::of(file), DEPTH);
    let Collected {
        requests: found,
        mut left_out,
    } = collected;
    if found.len() > MOST_STEPS {
        return Err(ImportError::Many { found: found.len() });
    }
    let variables = Variables::of(file);
    let mut reading = Reading {
        variables: &variables,
        others,
        origin: None,
        secrets: Secrets::default(),
        to_do: BTreeSet::new(),
    };
    let (mut steps, mut sendable) = (Vec::new(), Sendable::default());
    for Found { name, item, auth } in &found {
        let step = reading.step(name, item, *auth);
        match step.and_then(|step| sendable.take(step)) {
            Ok(step) => steps.push(step),
            Err(why) => left_out.push(LeftOut::new(name, unknown::in_words(&why))),
        }
        if has_script(item) {
            left_out.push(LeftOut::new(format!("scripts of {name}"), NO_PROGRAMS));
        }
    }
    if has_script(file) {
        left_out.push(LeftOut::new("scripts of the collection", NO_PROGRAMS));
    }
    if steps.is_empty() {
        return Err(ImportError::Nothing(left_out));
    }
    let title = file
        .pointer("/info/name")
        .and_then(Value::as_str)
        .unwrap_or("a collection");
    let title = text::one_line(title);
    Ok(Imported {
        variables: reading.secrets.needed(&steps),
        scenario: Scenario {
            description: format!("the requests of {title}, one after another"),
            load: Some(some_users()),
            loads: Vec::new(),
            hosts: others.written(&steps)?,
            thresholds: some_thresholds(),
            journeys: vec![Journey::of("collection", Some("1s"), steps)],
        },
        target: reading.origin.filter(|origin| !unknown::has_mark(origin)),
        left_out,
        to_do: reading.to_do.into_iter().collect(),
    })
}

/// A request of the collection, and the names of its folders and its own.
struct Found<'a> {
    name: String,
    item: &'a Value,
    /// Its own auth, or else that of the nearest folder that has one.
    auth: Option<&'a Value>,
}

/// What the folders of a collection have.
#[derive(Default)]
struct Collected<'a> {
    requests: Vec<Found<'a>>,
    left_out: Vec<LeftOut>,
}

impl<'a> Collected<'a> {
    fn add(&mut self, items: &'a [Value], folder: &str, auth: Option<&'a Value>, depth: usize) {
        for item in items {
            let own = text::one_line(item.get("name").and_then(Value::as_str).unwrap_or_default());
            let name = if folder.is_empty() {
                own
            } else {
                format!("{folder}/{own}")
            };
            if let Some(request) = item.get("request") {
                let auth = auth::of(request).or(auth);
                self.requests.push(Found { name, item, auth });
                continue;
            }
            let Some(inner) = item.get("item").and_then(Value::as_array) else {
                self.left_out.push(LeftOut::new(name, "it has no request"));
                continue;
            };
            if has_script(item) {
                self.left_out
                    .push(LeftOut::new(format!("scripts of {name}"), NO_PROGRAMS));
            }
            if let Some(depth) = depth.checked_sub(1) {
                self.add(inner, &name, auth::of(item).or(auth), depth);
            } else {
                let why = format!("its folder is more than {DEPTH} folders deep");
                self.left_out.push(LeftOut::new(name, why));
            }
        }
    }
}

fn has_script(of: &Value) -> bool {
    let events = of.get("event").and_then(Value::as_array).into_iter().flatten();
    events.into_iter().any(|event| {
        let script = event.pointer("/script/exec");
        let lines = script.map_or(&[][..], |one| {
            one.as_array().map_or(std::slice::from_ref(one), Vec::as_slice)
        });
        lines
            .iter()
            .any(|line| line.as_str().is_some_and(|line| !line.trim().is_empty()))
    })
}

/// What is known while the requests are read.
struct Reading<'a> {
    variables: &'a Variables,
    others: &'a Others,
    /// The host of the first request that goes to none of the others.
    origin: Option<String>,
    secrets: Secrets,
    /// What the user has to do before a run.
    to_do: BTreeSet<String>,
}

impl Reading<'_> {
    fn step(&mut self, name: &str, item: &Value, auth: Option<&Value>) -> Result<Step, String> {
        let request = item.get("request").ok_or("it has no request")?;
        // A request may be its URL alone.
        let url = self.url(request.get("url").unwrap_or(request))?;
        let address = address::parse(&url)?;
        let path = address.path.split('?').next().unwrap_or_default();
        if let Some(parameter) = path.split('/').find_map(|part| part.strip_prefix(':')) {
            return Err(format!(
                "its path has the variable :{parameter}; write its value there"
            ));
        }
        if self.origin.is_none() && self.others.name(&address.origin).is_none() {
            self.origin = Some(address.origin.clone());
        }
        let host = self.others.place(self.origin.as_deref(), &address.origin);
        let host = host.map_err(|why| {
            if unknown::has_mark(&address.origin) {
                let origin = &address.origin;
                format!(
                    "{origin} is another host, and its variable has no value in the collection: give it one"
                )
            } else {
                why
            }
        })?;
        let method = request.get("method").and_then(Value::as_str).unwrap_or("GET");
        let path = self.secrets.address(&text::constant(&address.path)?);
        let call = Call::of(method, path)
            .ok_or_else(|| format!("the method {method} is none that a scenario has"))?;
        let mut step = Step::new(call);
        step.host = host;
        step.name = Some(name.to_owned()).filter(|name| !name.is_empty());
        self.headers(&mut step, request)?;
        if let Some(body) = request.get("body").filter(|body| is_on(body)) {
            self.body(&mut step, body)?;
        }
        if let Some(auth) = auth {
            match auth::places(auth) {
                Ok(places) => places
                    .iter()
                    .for_each(|place| place.fill(&mut step, &mut self.secrets)),
                Err(to_do) => {
                    self.to_do.insert(to_do);
                }
            }
        }
        unknown::replace(&mut step, &mut self.secrets);
        Ok(step)
    }

    /// The URL of a request with all its variables replaced.
    fn url(&self, url: &Value) -> Result<String, String> {
        let raw = url
            .get("raw")
            .unwrap_or(url)
            .as_str()
            .filter(|raw| !raw.is_empty());
        let raw = raw.map(str::to_owned).or_else(|| url::of_parts(url));
        let filled = self.variables.filled(&raw.ok_or("it has no URL")?)?;
        // Postman takes http where a URL has no scheme.
        let filled = if filled.contains("://") {
            filled
        } else {
            format!("http://{filled}")
        };
        let end = filled.find(['?', '#']).unwrap_or(filled.len());
        let (path, query) = filled.split_at_checked(end).unwrap_or((&filled, ""));
        let mut segments = Vec::new();
        for segment in path.split('/') {
            let value = segment
                .strip_prefix(':')
                .and_then(|name| url::path_variable(url, name));
            segments.push(match value {
                Some(value) => encode(&self.variables.filled(&value)?),
                None => segment.to_owned(),
            });
        }
        Ok(segments.join("/") + query)
    }

    fn headers(&mut self, step: &mut Step, request: &Value) -> Result<(), String> {
        if request
            .get("header")
            .and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty())
        {
            return Err("its headers are one text: write them as a list".to_owned());
        }
        for header in request
            .get("header")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let (Some(name), Some(value)) = (
                header.get("key").and_then(Value::as_str),
                header.get("value").and_then(Value::as_str),
            ) else {
                continue;
            };
            if name.is_empty() || !is_on(header) {
                continue;
            }
            let name = &self.variables.filled(name)?;
            let value = self.variables.filled(value)?;
            text::header(step, &mut self.secrets, name, &value)?;
        }
        Ok(())
    }

    fn body(&mut self, step: &mut Step, body: &Value) -> Result<(), String> {
        let mode = body.get("mode").and_then(Value::as_str).unwrap_or("raw");
        let (text, kind) = match mode {
            "raw" => {
                let text = body.get("raw").and_then(Value::as_str).unwrap_or_default();
                let language = body.pointer("/options/raw/language").and_then(Value::as_str);
                let text = self.variables.filled(text)?;
                let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
                let kind = match language.or(is_json.then_some("json")) {
                    Some("json") => "application/json",
                    Some("xml") => "application/xml",
                    Some("html") => "text/html",
                    _ => "text/plain",
                };
                (text, kind)
            }
            "urlencoded" => {
                let mut fields = Vec::new();
                for field in body
                    .get("urlencoded")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    let text = |key| field.get(key).and_then(Value::as_str).unwrap_or_default();
                    if is_on(field) {
                        let filled = |key| self.variables.filled(text(key));
                        fields.push((filled("key")?, filled("value")?));
                    }
                }
                let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                (text::form(pairs), "application/x-www-form-urlencoded")
            }
            "graphql" => {
                let query = body
                    .pointer("/graphql/query")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let query = self.variables.filled(query)?;
                let variables = match body.pointer("/graphql/variables") {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                };
                let variables = self.variables.filled(&variables)?;
                let variables: Value = match variables.trim() {
                    "" => Value::Null,
                    text => {
                        serde_json::from_str(text).map_err(|_| "the variables of its query are not JSON")?
                    }
                };
                let body = serde_json::json!({"query": query, "variables": variables});
                (body.to_string(), "application/json")
            }
            "formdata" => return Err("its body is a form with files".to_owned()),
            _ => return Err(format!("its body is a {mode}")),
        };
        if text.is_empty() {
            return Ok(());
        }
        step.body = Some(self.secrets.body(kind, &text::constant(&text)?));
        let has_type = step
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-type"));
        if !has_type && kind != "application/json" {
            step.headers.insert("Content-Type".to_owned(), kind.to_owned());
        }
        Ok(())
    }
}

/// Whether a part is not switched off.
fn is_on(of: &Value) -> bool {
    of.get("disabled") != Some(&Value::Bool(true))
}
