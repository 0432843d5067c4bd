//! The URL of one of a scenario's other hosts, as a flag gives it.
//!
//! Must not: fail while flags are parsed, because the message would show credentials in the URL.

use std::fmt;

use vas_loadtest::scenario::hosts::HostUrl;

use super::load_args::LoadError;

/// `NAME=URL` as it was given. It is written with its credentials, as [`MaskedUrl`](super::masked_url::MaskedUrl) is.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct NamedUrl {
    name: String,
    url: String,
}

impl From<String> for NamedUrl {
    fn from(text: String) -> Self {
        let (name, url) = text.split_once('=').unwrap_or((text.as_str(), ""));
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
        }
    }
}

impl fmt::Debug for NamedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedUrl").field(&self.name).finish()
    }
}

impl NamedUrl {
    /// The name and the URL.
    ///
    /// # Errors
    /// When it is no URL of a host.
    pub(super) fn read(&self) -> Result<(String, HostUrl), LoadError> {
        let url = self.url.parse().map_err(|error| LoadError::Host {
            name: self.name.clone(),
            error,
        })?;
        Ok((self.name.clone(), url))
    }
}
