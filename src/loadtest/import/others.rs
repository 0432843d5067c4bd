//! The hosts besides the target whose requests are taken.
//!
//! Requests to a host that nobody named are left out: a recording has those to foreign services too, such as the
//! analytics of a page, and a load test must not send load to them because a browser once did.

use std::collections::BTreeMap;

use url::Url;

use super::{ImportError, scenario::Step};
use crate::scenario::hosts::{Hosts, misnamed};

/// The other hosts, by the name that a scenario gives them.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// Name, and origin such as `https://auth.example`.
    origins: Vec<(String, String)>,
}

impl Others {
    /// The hosts that the user names.
    ///
    /// # Errors
    /// When a URL has more than scheme, host and port, because the recorded path is put behind it; when a scenario cannot
    /// have such a name, or so many.
    pub fn of(hosts: &Hosts) -> Result<Self, ImportError> {
        if let Some((field, rule)) = misnamed(hosts.keys()).into_iter().next() {
            return Err(ImportError::Misnamed { field, rule });
        }
        let mut origins = Vec::new();
        for (name, given) in hosts {
            let url = Url::parse(given.as_str()).ok().filter(|url| {
                let no_user = url.username().is_empty() && url.password().is_none();
                no_user && url.path() == "/"
            });
            let url = url.ok_or_else(|| ImportError::Origin { host: name.clone() })?;
            origins.push((name.clone(), url.origin().ascii_serialization()));
        }
        Ok(Self { origins })
    }

    /// The name of the host with this origin.
    pub(super) fn name(&self, origin: &str) -> Option<&str> {
        let mut all = self.origins.iter();
        all.find(|(_, one)| one == origin).map(|(name, _)| name.as_str())
    }

    /// The name of the host that a request goes to; `None` for the target.
    ///
    /// # Errors
    /// Why the request is left out, where the host is neither.
    pub(super) fn place(&self, target: Option<&str>, origin: &str) -> Result<Option<String>, String> {
        if let Some(name) = self.name(origin) {
            return Ok(Some(name.to_owned()));
        }
        if Some(origin) == target {
            return Ok(None);
        }
        Err(format!(
            "{origin} is another host: --host NAME={origin} takes its requests in"
        ))
    }

    /// The hosts as a scenario has them.
    ///
    /// # Errors
    /// When no step goes to one of them: its URL is a mistake, or all that went there was left out.
    pub(super) fn written(&self, steps: &[Step]) -> Result<BTreeMap<String, String>, ImportError> {
        for (name, origin) in &self.origins {
            if !steps.iter().any(|step| step.host.as_ref() == Some(name)) {
                return Err(ImportError::Unused {
                    host: name.clone(),
                    origin: origin.clone(),
                });
            }
        }
        Ok(self.origins.iter().cloned().collect())
    }
}
