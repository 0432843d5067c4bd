//! What a text that the service sends must hold.

/// A check of the body of an answer, or of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyCheck {
    /// The body contains this text.
    Contains(String),
    /// The body is JSON and has a value at this pointer.
    Json(String),
}
