//! A URL of a flag that may contain credentials, and the form of it that may be shown.
//!
//! It is only kept here and read later, because an error of clap would show the password of a URL that is wrong.

use std::fmt;

use vas_loadtest::http::masked;

/// A URL that may contain credentials, and the form that may be shown. It is written with its credentials, so it is
/// written into Secrets alone.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub(crate) struct MaskedUrl {
    given: String,
    shown: String,
}

impl From<String> for MaskedUrl {
    fn from(given: String) -> Self {
        let shown = masked(&given);
        Self { given, shown }
    }
}

impl From<MaskedUrl> for String {
    fn from(url: MaskedUrl) -> Self {
        url.given
    }
}

impl MaskedUrl {
    /// The URL as it was given, with its credentials.
    pub(super) fn given(&self) -> &str {
        &self.given
    }

    /// The URL as it was given, with credentials masked.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

impl fmt::Debug for MaskedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, f)
    }
}
