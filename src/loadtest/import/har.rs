//! A recording of a browser or a proxy (HTTP Archive 1.2, <http://www.softwareishard.com/blog/har-12-spec/>):
//! its requests to the target, and to the other hosts that the user names, become the steps of one journey, with
//! the pauses that were recorded.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    ImportError, Imported, LeftOut, MOST_STEPS,
    address::{self, Address},
    others::Others,
    scenario::{Call, Journey, Scenario, Step},
    secret::Secrets,
    sendable::Sendable,
    some_thresholds, some_users, text,
};

/// A value that some recorders write as null where there is none.
fn or_none<'a, D: Deserializer<'a>, T: Default + Deserialize<'a>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: Option<String>,
    /// Milliseconds that the request took.
    #[serde(default, deserialize_with = "or_none")]
    time: f64,
    request: Request,
    #[serde(default, deserialize_with = "or_none")]
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default, deserialize_with = "or_none")]
    headers: Vec<Pair>,
    #[serde(default)]
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    #[serde(default, deserialize_with = "or_none")]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default, deserialize_with = "or_none")]
    mime_type: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    params: Vec<Pair>,
    #[serde(default)]
    encoding: Option<String>,
}

#[derive(Default, Deserialize)]
struct Response {
    /// Zero or less where no answer came. Some recorders write 200.0.
    #[serde(default, deserialize_with = "or_none")]
    status: f64,
    /// Where a redirect leads; empty for other answers.
    #[serde(default, rename = "redirectURL", deserialize_with = "or_none")]
    redirect_url: String,
    #[serde(default, deserialize_with = "or_none")]
    headers: Vec<Pair>,
}

/// Shortest recorded pause that is kept, in seconds.
const SHORTEST_PAUSE: f64 = 0.1;
/// Longest recorded pause that is kept, in seconds: who went away for longer did not read a page.
const LONGEST_PAUSE: f64 = 60.0;

/// Writes the scenario of a recording. The target is the first host that answered by itself and is none of the
/// others. Requests to hosts besides these, and requests that got no answer, are left out.
///
/// # Errors
/// When it is no recording, no request can be taken, or none goes to one of the others.
pub fn import(file: &Value, others: &Others) -> Result<Imported, ImportError> {
    let found = file.pointer("/log/entries").and_then(Value::as_array);
    let found = found.ok_or(ImportError::Kind {
        expected: "a HAR file",
        why: "log.entries is missing",
    })?;
    let (mut steps, mut left_out) = (Vec::new(), Vec::new());
    let mut reading = Reading::of(others);
    let mut entries = Vec::new();
    let mut latest = None;
    for (index, entry) in found.iter().enumerate() {
        match Entry::deserialize(entry) {
            Ok(entry) => {
                // An entry without a time keeps its place.
                latest = started(&entry).or(latest);
                entries.push((latest, entry));
            }
            Err(error) => left_out.push(LeftOut::new(format!("log.entries[{index}]"), error.to_string())),
        }
    }
    // Some recorders write entries as they end.
    entries.sort_by_key(|(at, _)| *at);
    let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    reading.origin = origin(&entries, others);
    let mut sendable = Sendable::default();
    for (place, entry) in entries.iter().enumerate() {
        let next = entries.get(place + 1);
        let step = reading.step(entry, next);
        match step.and_then(|step| sendable.take(step)) {
            Ok(step) => steps.push(step),
            Err(why) => {
                let Request { method, url, .. } = &entry.request;
                // A query may have secrets.
                let url = url.split('?').next().unwrap_or_default();
                left_out.push(LeftOut::new(format!("{method} {url}"), why));
            }
        }
        reading.see_cookies(entry);
    }
    if steps.is_empty() {
        return Err(ImportError::Nothing(left_out));
    }
    if steps.len() > MOST_STEPS {
        return Err(ImportError::Many { found: steps.len() });
    }
    let variables = reading.secrets.needed(&steps);
    let hosts = others.written(&steps)?;
    let journey = Journey {
        cookies: !reading.set.is_empty(),
        ..Journey::of("recorded", None, steps)
    };
    Ok(Imported {
        scenario: Scenario {
            description: "from a recording".to_owned(),
            load: Some(some_users()),
            loads: Vec::new(),
            hosts,
            thresholds: some_thresholds(),
            journeys: vec![journey],
        },
        target: reading.origin,
        left_out,
        variables,
        to_do: Vec::new(),
    })
}

/// What is known while the requests are read.
#[derive(Debug)]
struct Reading<'a> {
    /// The host that is recorded.
    origin: Option<String>,
    others: &'a Others,
    secrets: Secrets,
    /// Host and name of the cookies that answers set so far: users get their own of them.
    set: BTreeSet<(String, String)>,
}

/// The host that is recorded: the first one that answered, and not with a redirect to another host, as
/// `http://` does that leads to `https://`. Without such an answer it is the first one. None of the others is it.
fn origin(entries: &[Entry], others: &Others) -> Option<String> {
    let mut hosts = entries.iter().filter_map(|entry| {
        let own = address::parse(&entry.request.url).ok()?.origin;
        if others.name(&own).is_some() {
            return None;
        }
        let Response {
            status, redirect_url, ..
        } = &entry.response;
        let elsewhere = address::parse(redirect_url).is_ok_and(|to| to.origin != own);
        Some((own, *status > 0.0 && !elsewhere))
    });
    let first = hosts.next()?;
    let (host, _) = if first.1 {
        first
    } else {
        hosts.find(|(_, answered)| *answered).unwrap_or(first)
    };
    Some(host)
}

fn started(entry: &Entry) -> Option<Timestamp> {
    entry.started_date_time.as_deref()?.parse().ok()
}

impl<'a> Reading<'a> {
    fn of(others: &'a Others) -> Self {
        Self {
            origin: None,
            others,
            secrets: Secrets::default(),
            set: BTreeSet::new(),
        }
    }

    /// Remembers the cookies that an answer sets, of a host whose requests are taken.
    fn see_cookies(&mut self, entry: &Entry) {
        let Ok(Address { origin: own, .. }) = address::parse(&entry.request.url) else {
            return;
        };
        if self.others.place(self.origin.as_deref(), &own).is_err() {
            return;
        }
        for Pair { name, value } in &entry.response.headers {
            // Some recorders write all of them into one value, in lines.
            for line in value.lines().filter(|_| name.eq_ignore_ascii_case("set-cookie")) {
                let cookie = line.split('=').next().unwrap_or_default().trim();
                self.set.insert((own.clone(), cookie.to_owned()));
            }
        }
    }

    /// The cookies of a request that no answer of its host before has set.
    fn own_cookies(&self, host: &str, value: &str) -> String {
        let cookies = value.split(';').map(str::trim).filter(|cookie| {
            let name = cookie.split('=').next().unwrap_or_default();
            let set = self.set.contains(&(host.to_owned(), name.to_owned()));
            !cookie.is_empty() && !set
        });
        cookies.collect::<Vec<_>>().join("; ")
    }

    fn step(&mut self, entry: &Entry, next: Option<&Entry>) -> Result<Step, String> {
        let request = &entry.request;
        let Address { origin: own, path } = address::parse(&request.url)?;
        let host = self.others.place(self.origin.as_deref(), &own)?;
        if entry.response.status <= 0.0 {
            return Err("it got no answer when it was recorded".to_owned());
        }
        let path = self.secrets.address(&text::constant(&path)?);
        let call = Call::of(&request.method, path)
            .ok_or_else(|| format!("the method {} is none that a scenario has", request.method))?;
        let mut step = Step::new(call);
        step.host = host;
        for Pair { name, value } in &request.headers {
            if name.eq_ignore_ascii_case("referer") {
                let value = self.secrets.address(&text::constant(value)?);
                step.headers.insert(name.trim().to_owned(), value);
            } else if name.trim().eq_ignore_ascii_case("cookie") {
                let value = self.own_cookies(&own, value);
                if !value.is_empty() {
                    text::header(&mut step, &mut self.secrets, name, &value)?;
                }
            } else {
                text::header(&mut step, &mut self.secrets, name, value)?;
            }
        }
        step.body = body(request.post_data.as_ref(), &mut step, &mut self.secrets)?;
        // A recorded 404 is what the service answers there, so it is no failure of a later run.
        let status = entry.response.status;
        if !(200.0..400.0).contains(&status) {
            let status = format!("{status}");
            step.expect = vec![
                status
                    .parse()
                    .map_err(|_| format!("{status} is no status of HTTP"))?,
            ];
        }
        step.think = next.and_then(|next| pause(entry, next));
        Ok(step)
    }
}

/// The pause between the end of a request and the beginning of the next one.
fn pause(entry: &Entry, next: &Entry) -> Option<String> {
    let between = started(next)?.duration_since(started(entry)?).as_secs_f64();
    let pause = between - entry.time / 1000.0;
    (pause >= SHORTEST_PAUSE).then(|| format!("{}ms", (pause.min(LONGEST_PAUSE) * 10.0).round() * 100.0))
}

fn body(data: Option<&PostData>, step: &mut Step, secrets: &mut Secrets) -> Result<Option<String>, String> {
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
    Ok(Some(secrets.body(kind, &text::constant(&text)?)))
}
