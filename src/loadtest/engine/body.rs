//! The body of an answer, or a WebSocket message, and the checks that scenarios make on it.

use std::{borrow::Cow, cell::OnceCell, collections::BTreeMap};

use hyper::HeaderMap;
use memchr::memmem;
use serde_json::Value;

use crate::{
    http::{Detail, Failure},
    scenario::check::{Check, Equality, Subject},
};

/// A body that is parsed as JSON at most once, and only when a check or an extract needs JSON.
#[derive(Debug)]
pub(super) struct Body<'a> {
    bytes: &'a [u8],
    json: OnceCell<Option<Value>>,
}

/// What checks are made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// Headers of the answer; a message has none.
    pub(super) headers: Option<&'a HeaderMap>,
    /// The user's values of variables.
    pub(super) values: &'a BTreeMap<String, String>,
}

impl<'a> Body<'a> {
    /// A body whose content encoding (gzip, br, ...) is already undone.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            json: OnceCell::new(),
        }
    }

    /// The bytes of the body.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The value at a JSON pointer, if the body is JSON and has one there.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        let json = self.json.get_or_init(|| serde_json::from_slice(self.bytes).ok());
        json.as_ref()?.pointer(pointer)
    }

    /// Checks the body, and the headers.
    ///
    /// # Errors
    /// When the check does not hold; the failure says so in the words of the scenario.
    pub(super) fn fulfils(&self, check: &Check, known: Known<'_>) -> Result<(), Failure> {
        let header = |name: &str| {
            let value = known.headers?.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()))
        };
        let (holds, found): (bool, Option<Cow<'_, str>>) = match &check.subject {
            Subject::Contains(text) => {
                let text = text.resolve(known.values)?;
                (contains(self.bytes, &text), None)
            }
            Subject::Matches(pattern) => (pattern.is_in(self.bytes), None),
            Subject::Json(pointer) => (self.at(pointer).is_some(), None),
            Subject::JsonIs(pointer, equality, wanted) => {
                let wanted = wanted.resolve(known.values)?;
                let value = self.at(pointer);
                let holds = value.map(|value| is_equal(value, &wanted));
                let found = value.map(|value| Cow::Owned(text_of(value)));
                (are(holds, *equality), found)
            }
            Subject::Size(comparison, bound) => {
                let size = u64::try_from(self.bytes.len()).unwrap_or(u64::MAX);
                let found = Cow::Owned(format!("{size} bytes"));
                (comparison.holds(size, *bound), Some(found))
            }
            Subject::Header(name) => (header(name).is_some(), header(name)),
            Subject::HeaderIs(name, equality, wanted) => {
                let wanted = wanted.resolve(known.values)?;
                let value = header(name);
                let holds = value.as_deref().map(|value| value == wanted);
                (are(holds, *equality), value)
            }
            Subject::HeaderMatches(name, pattern) => {
                let value = header(name);
                let holds = value
                    .as_deref()
                    .is_some_and(|value| pattern.is_in(value.as_bytes()));
                (holds, value)
            }
        };
        if holds == check.negated {
            let detail = found.map_or(Detail::NONE, Detail::of);
            return Err(Failure::Check(words(check), detail));
        }
        Ok(())
    }
}

/// What is missing, in the words of the scenario. They have no value of one answer in them.
fn words(check: &Check) -> String {
    let text = &check.text;
    let argument = text.split_once(' ').map_or("", |(_, argument)| argument);
    match (&check.subject, check.negated) {
        (Subject::Contains(_), false) => format!("no {argument:?} in the body"),
        (Subject::Contains(_), true) => format!("{argument:?} in the body"),
        (Subject::Json(pointer), false) => format!("nothing at {pointer} in the body"),
        (_, false) => format!("not {text}"),
        (_, true) => text.clone(),
    }
}

/// Whether two values are equal or different as they should be. Where one is missing they are neither.
fn are(equal: Option<bool>, wanted: Equality) -> bool {
    equal.is_some_and(|equal| match wanted {
        Equality::Equal => equal,
        Equality::Different => !equal,
    })
}

/// Whether a JSON value is the wanted one, which is JSON, or the text of a string.
fn is_equal(value: &Value, wanted: &str) -> bool {
    let text = match value {
        Value::String(text) => text == wanted,
        _ => false,
    };
    text || serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == *value)
}

/// A JSON value as the value of a variable: a string without its quotes.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn contains(body: &[u8], text: &str) -> bool {
    memmem::find(body, text.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{
        model::{Action, Scenario},
        parse,
    };

    /// The checks of a scenario that has these.
    fn checks(texts: &[&str]) -> Vec<Check> {
        let texts = serde_json::to_string(texts).unwrap();
        let text = format!(
            "load: {{rate: [{{duration: 1s, at: 1}}]}}\nvalues: {{id: uuid}}\njourneys: [{{name: a, steps: [{{get: /, checks: {texts}}}]}}]\n"
        );
        let scenario: Scenario = parse(&text, "test", &|_| Err(String::new())).unwrap();
        let Action::Request(request) = &scenario.journeys[0].steps[0].action else {
            panic!("it is a request")
        };
        request.checks.clone()
    }

    fn judged(text: &str) -> Result<(), Failure> {
        let body = br#"{"status": "ok", "count": 3, "id": "7", "items": [{"a": 1}], "none": null}"#;
        let headers: HeaderMap = [("content-type", "application/json"), ("x-id", "7")]
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let values = BTreeMap::from([("id".to_owned(), "7".to_owned())]);
        let known = Known {
            headers: Some(&headers),
            values: &values,
        };
        Body::new(body).fulfils(&checks(&[text])[0], known)
    }

    #[test]
    fn checks_hold_or_say_what_was_found_instead() {
        for text in [
            "contains \"ok\"",
            "not contains error",
            "contains \"{{id}}\"",
            "matches \"count\": [0-9]+",
            "json /items/0/a",
            "not json /error",
            "json /status == ok",
            "json /status == \"ok\"",
            "json /status != error",
            "json /count == 3",
            "json /none == null",
            "json /items == [{\"a\": 1}]",
            "json /id == {{id}}",
            "size > 10",
            "size <= 1kB",
            "header content-type",
            "not header x-debug",
            "header X-Id == {{id}}",
            "header content-type matches ^application/",
        ] {
            assert_eq!(judged(text), Ok(()), "{text}");
        }
        for (text, cause, found) in [
            ("contains nothing", "check: no \"nothing\" in the body", None),
            ("not contains ok", "check: \"ok\" in the body", None),
            ("json /error", "check: nothing at /error in the body", None),
            ("not json /count", "check: json /count", None),
            (
                "json /status == down",
                "check: not json /status == down",
                Some("ok"),
            ),
            ("json /count == 4", "check: not json /count == 4", Some("3")),
            // What is missing is not different.
            ("json /error != x", "check: not json /error != x", None),
            ("header x-none != x", "check: not header x-none != x", None),
            ("size < 10", "check: not size < 10", Some("74 bytes")),
            ("not header x-id", "check: header x-id", Some("7")),
            ("header x-id == 8", "check: not header x-id == 8", Some("7")),
            ("matches ^x", "check: not matches ^x", None),
        ] {
            let failure = judged(text).unwrap_err();
            assert_eq!(
                (failure.to_string().as_str(), failure.detail().as_deref()),
                (cause, found),
                "{text}"
            );
        }
    }
}
