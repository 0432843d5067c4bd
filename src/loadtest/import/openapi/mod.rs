//! An `OpenAPI` document (3.x, or Swagger 2.0): each operation whose parameters and body have examples
//! becomes a step of one journey.

mod example;

use serde_json::{Map, Value};

use self::example::{Document, example};
use super::{
    ImportError, Imported, LeftOut, MOST_STEPS, address,
    scenario::{Call, Journey, Scenario, Step},
    some_thresholds, some_users,
    text::{self, Secrets},
};

/// Keys of a path item that are operations.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

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
    let operations: Vec<Operation<'_>> = paths
        .iter()
        .flat_map(|(path, item)| operations(document, path, item))
        .collect();
    if operations.len() > MOST_STEPS {
        return Err(ImportError::Many {
            found: operations.len(),
        });
    }
    let (mut steps, mut left_out, mut secrets) = (Vec::new(), Vec::new(), Secrets::default());
    for operation in &operations {
        match operation.step(&mut secrets) {
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
    let mut to_do: Vec<String> = secrets.to_do().collect();
    if operations.iter().any(Operation::needs_credentials) {
        to_do.push("give the credentials that its security asks for with --header-file".to_owned());
    }
    let title = file
        .pointer("/info/title")
        .and_then(Value::as_str)
        .unwrap_or("an API");
    let description = format!("the operations of {}, one after another", one_line(title));
    Ok(Imported {
        scenario: Scenario {
            description,
            load: some_users(),
            thresholds: some_thresholds(),
            journeys: vec![Journey::of("api", Some("1s"), steps)],
        },
        target: target(file),
        left_out,
        to_do,
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first server with a whole URL.
fn target(file: &Value) -> Option<String> {
    let whole = |url: &str| address::parse(url).is_ok() && !url.contains('{');
    let servers = file
        .get("servers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut urls = servers.filter_map(|server| server.get("url")?.as_str());
    let found = urls.find(|url| whole(url)).map(str::to_owned);
    found
        .or_else(|| {
            let host = file.get("host")?.as_str()?;
            let base = file.get("basePath").and_then(Value::as_str).unwrap_or_default();
            let scheme = file
                .pointer("/schemes/0")
                .and_then(Value::as_str)
                .unwrap_or("https");
            Some(format!("{scheme}://{host}{base}")).filter(|url| whole(url))
        })
        .map(|url| url.trim_end_matches('/').to_owned())
}

/// One operation of one path.
struct Operation<'a> {
    document: Document<'a>,
    method: &'a str,
    path: &'a str,
    /// Parameters of the path, then those of the operation, which replace equal ones.
    parameters: Vec<&'a Value>,
    own: &'a Map<String, Value>,
}

fn operations<'a>(document: Document<'a>, path: &'a str, item: &'a Value) -> Vec<Operation<'a>> {
    let Some(item) = document.resolve(item).and_then(Value::as_object) else {
        return Vec::new();
    };
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
            Operation {
                document,
                method,
                path,
                parameters: all,
                own,
            }
        })
        .collect()
}

impl Operation<'_> {
    fn step(&self, secrets: &mut Secrets) -> Result<Step, String> {
        let mut path = self.path.to_owned();
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        for parameter in &self.parameters {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
            let required = parameter.get("required") == Some(&Value::Bool(true)) || place == "path";
            if !required || place == "body" || place == "formData" {
                continue;
            }
            let value = example(self.document, parameter).ok_or_else(|| {
                format!("its {place} parameter {name} has no example: give it one, or a default")
            })?;
            match place {
                "path" => path = path.replace(&format!("{{{name}}}"), &encoded(&value)),
                "query" => query.push((name.to_owned(), value)),
                "header" => headers.push((name.to_owned(), value)),
                _ => return Err(format!("its parameter {name} is in {place:?}")),
            }
        }
        if let Some((_, name)) = path.split_once('{') {
            let name = name.split('}').next().unwrap_or_default();
            return Err(format!("nothing describes the parameter {name} of its path"));
        }
        if !query.is_empty() {
            let pairs = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            path = format!("{path}?{}", text::form(pairs));
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
            .map(one_line)
            .filter(|name| !name.is_empty());
        for (name, value) in headers {
            if let Some(secret) = text::header(&mut step, &name, &value)? {
                secrets.add(&secret);
            }
        }
        self.body(&mut step)?;
        Ok(step)
    }

    /// Puts the example of the body into a step.
    fn body(&self, step: &mut Step) -> Result<(), String> {
        let Some((kind, media)) = self.media()? else {
            return Ok(());
        };
        let value = media
            .and_then(|media| example::value(self.document, media))
            .ok_or("its body has no example: give it one")?;
        let body = match value {
            Value::String(text) => text,
            Value::Object(fields) if kind == "application/x-www-form-urlencoded" => {
                let fields: Vec<(&String, String)> = fields
                    .iter()
                    .map(|(name, value)| (name, example::plain(value)))
                    .collect();
                text::form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            }
            other => other.to_string(),
        };
        step.body = Some(text::constant(&body)?);
        if kind != "application/json" {
            step.headers.insert("Content-Type".to_owned(), kind.to_owned());
        }
        Ok(())
    }

    /// The media type of the body and what describes the body; `None` for a request without one.
    fn media(&self) -> Result<Option<(&str, Option<&Value>)>, String> {
        if let Some(body) = self
            .own
            .get("requestBody")
            .and_then(|body| self.document.resolve(body))
        {
            let Some(content) = body.get("content").and_then(Value::as_object) else {
                return Ok(None);
            };
            let json = content
                .iter()
                .find(|(kind, _)| kind.split(';').next() == Some("application/json"));
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
        Ok(of("body").map(|parameter| ("application/json", Some(*parameter))))
    }

    fn needs_credentials(&self) -> bool {
        let own = self
            .own
            .get("security")
            .or_else(|| self.document.0.get("security"));
        own.and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    }
}

/// The value as one segment of a path.
fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}
