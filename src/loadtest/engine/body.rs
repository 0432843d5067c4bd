//! The body of an answer, or a WebSocket message, and the checks that scenarios make on it.

use std::cell::OnceCell;

use serde_json::Value;

use crate::{
    http::{Detail, Failure},
    scenario::model::BodyCheck,
};

/// A body that is parsed as JSON at most once, and only when a check or an extract needs JSON.
#[derive(Debug)]
pub(super) struct Body<'a> {
    bytes: &'a [u8],
    json: OnceCell<Option<Value>>,
}

impl<'a> Body<'a> {
    /// A body whose content encoding (gzip, br, ...) is already undone.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            json: OnceCell::new(),
        }
    }

    /// The value at a JSON pointer, if the body is JSON and has one there.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        let json = self.json.get_or_init(|| serde_json::from_slice(self.bytes).ok());
        json.as_ref()?.pointer(pointer)
    }

    /// Checks the body.
    ///
    /// # Errors
    /// When the body does not fulfil the check; the failure says what is missing.
    pub(super) fn fulfils(&self, check: &BodyCheck) -> Result<(), Failure> {
        let missing = match check {
            BodyCheck::Contains(text) if !contains(self.bytes, text) => format!("no {text:?} in the body"),
            BodyCheck::Json(pointer) if self.at(pointer).is_none() => {
                format!("nothing at {pointer} in the body")
            }
            BodyCheck::Contains(_) | BodyCheck::Json(_) => return Ok(()),
        };
        Err(Failure::Check(missing, Detail::NONE))
    }
}

fn contains(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
}
