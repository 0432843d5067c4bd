//! What was measured of a bound.

/// The measured value of a bound.
pub(super) struct Seen {
    /// Whether the bound holds.
    pub(super) holds: bool,
    /// The measured value, in words.
    pub(super) words: String,
}
