//! A Postman collection (format 2.0 and 2.1): its requests become the steps of one journey, in their order.
//! Variables of the collection are replaced by their values. Scripts are programs and are not taken.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    ImportError, Imported, LeftOut, MOST_STEPS, address,
    scenario::{Call, Journey, Scenario, Step},
    some_thresholds, some_users,
    text::{self, Secrets},
};

/// Deepest folder that is read.
const DEPTH: usize = 32;
/// Most times that a variable is replaced in one text: the value of a variable may have variables.
const REPLACED: usize = 100;

/// Writes the scenario of a collection.
///
/// # Errors
/// When it is no collection, or no request can be taken.
pub fn import(file: &Value) -> Result<Imported, ImportError> {
    // An export of Postman's API has the collection inside.
    let file = file.get("collection").unwrap_or(file);
    let Some(items) = file.get("item").and_then(Value::as_array) else {
        return Err(ImportError::Kind {
            expected: "a Postman collection",
            why: "the field item is missing",
        });
    };
    let mut found = Vec::new();
    requests(items, "", DEPTH, &mut found);
    if found.len() > MOST_STEPS {
        return Err(ImportError::Many { found: found.len() });
    }
    let variables = Variables::of(file);
    let mut reading = Reading {
        variables: &variables,
        origin: None,
        secrets: Secrets::default(),
    };
    let (mut steps, mut left_out) = (Vec::new(), Vec::new());
    for Found { name, item } in &found {
        match reading.step(name, item) {
            Ok(step) => steps.push(step),
            Err(why) => left_out.push(LeftOut::new(name.clone(), why)),
        }
        if has_script(item) {
            left_out.push(LeftOut::new(
                format!("scripts of {name}"),
                "a scenario has no programs: see extract and checks of a step",
            ));
        }
    }
    if has_script(file) {
        let why = "a scenario has no programs: see extract and checks of a step";
        left_out.push(LeftOut::new("scripts of the collection", why));
    }
    if steps.is_empty() {
        return Err(ImportError::Nothing(left_out));
    }
    let mut to_do: Vec<String> = reading.secrets.to_do().collect();
    let authorized = std::iter::once(file).chain(found.iter().filter_map(|one| one.item.get("request")));
    if authorized.into_iter().any(has_auth) {
        to_do.push("give the credentials that its auth asks for with --header-file".to_owned());
    }
    let title = file
        .pointer("/info/name")
        .and_then(Value::as_str)
        .unwrap_or("a collection");
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Imported {
        scenario: Scenario {
            description: format!("the requests of {title}, one after another"),
            load: some_users(),
            thresholds: some_thresholds(),
            journeys: vec![Journey::of("collection", Some("1s"), steps)],
        },
        target: reading.origin,
        left_out,
        to_do,
    })
}

/// A request of the collection, and the names of its folders and its own.
struct Found<'a> {
    name: String,
    item: &'a Value,
}

fn requests<'a>(items: &'a [Value], folder: &str, depth: usize, found: &mut Vec<Found<'a>>) {
    for item in items {
        let own = item.get("name").and_then(Value::as_str).unwrap_or_default();
        let own = own.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = if folder.is_empty() {
            own
        } else {
            format!("{folder}/{own}")
        };
        if item.get("request").is_some() {
            found.push(Found { name, item });
        } else if let (Some(inner), Some(depth)) =
            (item.get("item").and_then(Value::as_array), depth.checked_sub(1))
        {
            requests(inner, &name, depth, found);
        }
    }
}

fn has_script(of: &Value) -> bool {
    let events = of.get("event").and_then(Value::as_array).into_iter().flatten();
    events.into_iter().any(|event| {
        let lines = event
            .pointer("/script/exec")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        lines
            .into_iter()
            .any(|line| line.as_str().is_some_and(|line| !line.trim().is_empty()))
    })
}

fn has_auth(of: &Value) -> bool {
    of.pointer("/auth/type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind != "noauth")
}

/// The variables of a collection.
struct Variables {
    values: BTreeMap<String, String>,
}

impl Variables {
    fn of(file: &Value) -> Self {
        let list = file
            .get("variable")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let values = list
            .filter_map(|variable| {
                let name = variable.get("key").or_else(|| variable.get("id"))?.as_str()?;
                let value = match variable.get("value")? {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                Some((name.to_owned(), value)).filter(|(_, value)| !value.is_empty())
            })
            .collect();
        Self { values }
    }

    /// The text with all variables replaced.
    fn filled(&self, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        for _ in 0..REPLACED {
            let Some((before, rest)) = text.split_once("{{") else {
                return Ok(text);
            };
            let Some((name, after)) = rest.split_once("}}") else {
                return Err(text::BRACES.to_owned());
            };
            let value = self.values.get(name.trim()).ok_or_else(|| {
                format!(
                    "the variable {{{{{}}}}} has no value in the collection",
                    name.trim()
                )
            })?;
            text = format!("{before}{value}{after}");
        }
        Err("its variables have one another as values".to_owned())
    }
}

/// What is known while the requests are read.
struct Reading<'a> {
    variables: &'a Variables,
    /// The host of the first request.
    origin: Option<String>,
    secrets: Secrets,
}

impl Reading<'_> {
    fn step(&mut self, name: &str, item: &Value) -> Result<Step, String> {
        let request = item.get("request").ok_or("it has no request")?;
        // A request may be its URL alone.
        let url = request.get("url").unwrap_or(request);
        let url = url.get("raw").unwrap_or(url).as_str().ok_or("it has no URL")?;
        let url = self.variables.filled(url)?;
        // Postman takes http where a URL has no scheme.
        let url = if url.contains("://") {
            url
        } else {
            format!("http://{url}")
        };
        let address = address::parse(&url)?;
        if let Some(parameter) = address
            .path
            .split(['/', '?'])
            .find_map(|part| part.strip_prefix(':'))
        {
            return Err(format!(
                "its path has the variable :{parameter}; write its value there"
            ));
        }
        let origin = self.origin.get_or_insert_with(|| address.origin.clone());
        if *origin != address.origin {
            return Err(format!(
                "a scenario has one host, and {} is another one",
                address.origin
            ));
        }
        let method = request.get("method").and_then(Value::as_str).unwrap_or("GET");
        let call = Call::of(method, text::constant(&address.path)?)
            .ok_or_else(|| format!("the method {method} is none that a scenario has"))?;
        let mut step = Step::new(call);
        step.name = Some(name.to_owned()).filter(|name| !name.is_empty());
        self.headers(&mut step, request)?;
        if let Some(body) = request.get("body").filter(|body| is_on(body)) {
            self.body(&mut step, body)?;
        }
        Ok(step)
    }

    fn headers(&mut self, step: &mut Step, request: &Value) -> Result<(), String> {
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
            // The value of a secret may be a variable without a value. It is left out anyway.
            let value = self.variables.filled(value);
            if let Some(secret) = text::header(step, name, value.as_deref().unwrap_or_default())? {
                self.secrets.add(&secret);
            } else {
                value?;
            }
        }
        Ok(())
    }

    fn body(&self, step: &mut Step, body: &Value) -> Result<(), String> {
        let mode = body.get("mode").and_then(Value::as_str).unwrap_or("raw");
        let (text, kind) = match mode {
            "raw" => {
                let text = body.get("raw").and_then(Value::as_str).unwrap_or_default();
                let language = body.pointer("/options/raw/language").and_then(Value::as_str);
                let kind = match language {
                    Some("json") | None => "application/json",
                    Some("xml") => "application/xml",
                    Some("html") => "text/html",
                    Some(_) => "text/plain",
                };
                (self.variables.filled(text)?, kind)
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
                        fields.push((text("key"), self.variables.filled(text("value"))?));
                    }
                }
                let pairs = fields.iter().map(|(name, value)| (*name, value.as_str()));
                (text::form(pairs), "application/x-www-form-urlencoded")
            }
            "graphql" => {
                let query = body
                    .pointer("/graphql/query")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let variables = body
                    .pointer("/graphql/variables")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let variables = self.variables.filled(variables)?;
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
        step.body = Some(text::constant(&text)?);
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
