//! A recording of a browser or a proxy (HTTP Archive 1.2, <http://www.softwareishard.com/blog/har-12-spec/>):
//! its requests to one host become the steps of one journey, with the pauses that were recorded.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{
    ImportError, Imported, LeftOut, MOST_STEPS,
    address::{self, Address},
    scenario::{Call, Journey, Scenario, Step},
    some_thresholds, some_users,
    text::{self, Secrets},
};

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: Option<String>,
    /// Milliseconds that the request took.
    #[serde(default)]
    time: f64,
    request: Request,
    #[serde(default)]
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    encoding: Option<String>,
}

#[derive(Default, Deserialize)]
struct Response {
    /// Zero where no answer came.
    #[serde(default)]
    status: i64,
}

/// Shortest recorded pause that is kept, in seconds.
const SHORTEST_PAUSE: f64 = 0.1;
/// Longest recorded pause that is kept, in seconds: who went away for longer did not read a page.
const LONGEST_PAUSE: f64 = 60.0;

/// Writes the scenario of a recording. Requests to other hosts than the first one, and requests that got no
/// answer, are left out.
///
/// # Errors
/// When it is no recording, or no request can be taken.
pub fn import(file: &Value) -> Result<Imported, ImportError> {
    let archive = Archive::deserialize(file).map_err(|_| ImportError::Kind {
        expected: "a HAR file",
        why: "log.entries with a request each is missing",
    })?;
    let mut entries = archive.log.entries;
    if entries.len() > MOST_STEPS {
        return Err(ImportError::Many { found: entries.len() });
    }
    // Some recorders write entries as they end. Entries without a time keep their place.
    entries.sort_by_key(started);
    let origin = entries
        .iter()
        .find_map(|entry| address::parse(&entry.request.url).ok())
        .map(|address| address.origin);
    let (mut steps, mut left_out, mut secrets) = (Vec::new(), Vec::new(), Secrets::default());
    for (place, entry) in entries.iter().enumerate() {
        let next = entries.get(place + 1);
        match step(entry, next, origin.as_deref(), &mut secrets) {
            Ok(step) => steps.push(step),
            Err(why) => {
                let Request { method, url, .. } = &entry.request;
                left_out.push(LeftOut::new(format!("{method} {url}"), why));
            }
        }
    }
    if steps.is_empty() {
        return Err(ImportError::Nothing(left_out));
    }
    Ok(Imported {
        scenario: Scenario {
            description: "from a recording".to_owned(),
            load: some_users(),
            thresholds: some_thresholds(),
            journeys: vec![Journey::of("recorded", None, steps)],
        },
        target: origin,
        left_out,
        to_do: secrets.to_do().collect(),
    })
}

fn started(entry: &Entry) -> Option<Timestamp> {
    entry.started_date_time.as_deref()?.parse().ok()
}

fn step(
    entry: &Entry,
    next: Option<&Entry>,
    origin: Option<&str>,
    secrets: &mut Secrets,
) -> Result<Step, String> {
    let request = &entry.request;
    let Address { origin: own, path } = address::parse(&request.url)?;
    if Some(own.as_str()) != origin {
        return Err(format!("a scenario has one host, and {own} is another one"));
    }
    if entry.response.status <= 0 {
        return Err("it got no answer when it was recorded".to_owned());
    }
    let call = Call::of(&request.method, text::constant(&path)?)
        .ok_or_else(|| format!("the method {} is none that a scenario has", request.method))?;
    let mut step = Step::new(call);
    for Pair { name, value } in &request.headers {
        if let Some(secret) = text::header(&mut step, name, value)? {
            secrets.add(&secret);
        }
    }
    step.body = body(request.post_data.as_ref(), &mut step)?;
    // A recorded 404 is what the service answers there, so it is no failure of a later run.
    if !(200..400).contains(&entry.response.status) {
        step.expect = vec![u16::try_from(entry.response.status).map_err(|_| "its status is none of HTTP")?];
    }
    step.think = next.and_then(|next| pause(entry, next));
    Ok(step)
}

/// The pause between the end of a request and the beginning of the next one.
fn pause(entry: &Entry, next: &Entry) -> Option<String> {
    let between = started(next)?.duration_since(started(entry)?).as_secs_f64();
    let pause = between - entry.time / 1000.0;
    (pause >= SHORTEST_PAUSE).then(|| format!("{}ms", (pause.min(LONGEST_PAUSE) * 10.0).round() * 100.0))
}

fn body(data: Option<&PostData>, step: &mut Step) -> Result<Option<String>, String> {
    let Some(data) = data else {
        return Ok(None);
    };
    if data.encoding.is_some() {
        return Err("its body is no text".to_owned());
    }
    let kind = data.mime_type.split(';').next().unwrap_or_default().trim();
    let text = match &data.text {
        Some(text) if !text.is_empty() => text.clone(),
        _ if kind == "multipart/form-data" && !data.params.is_empty() => {
            return Err("its body is a form with files".to_owned());
        }
        _ if data.params.is_empty() => return Ok(None),
        _ => text::form(
            data.params
                .iter()
                .map(|pair| (pair.name.as_str(), pair.value.as_str())),
        ),
    };
    let has_type = step
        .headers
        .keys()
        .any(|name| name.eq_ignore_ascii_case("content-type"));
    if !has_type && !data.mime_type.is_empty() {
        step.headers
            .insert("Content-Type".to_owned(), text::constant(&data.mime_type)?);
    }
    Ok(Some(text::constant(&text)?))
}
