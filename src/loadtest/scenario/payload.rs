//! What is sent in the body of a request, or in a message.

use super::template::Template;

/// What is sent in the body of a request, or in a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// Text, which may have variables.
    Text(Template),
    /// Bytes, sent as they are.
    Binary(Vec<u8>),
}

impl Payload {
    /// Names of the variables in the text; none for bytes.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let text = match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        };
        text.into_iter().flat_map(Template::variables)
    }
}
