//! How a key of a map is written in a path.

use std::fmt;

/// A map key as a step of a path: `.cpu`, or `["requests.cpu"]` for a key that holds a dot.
pub struct DisplayKey<'a>(
    /// The key as it stands in the map.
    pub &'a str,
);

impl fmt::Display for DisplayKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !self.0.is_empty() && self.0.bytes().all(plain) {
            write!(f, ".{}", self.0)
        } else {
            write!(f, "[{:?}]", self.0)
        }
    }
}
