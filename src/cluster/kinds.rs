//! How the API server serves kinds: one cache for all who find out by discovery what a kind is called in paths, and
//! whether it can be scaled.
//!
//! Invariant: whoever may write a resource can name any API version, so neither memory nor requests grow with the
//! names. All API versions that the cluster does not serve cost one read of `/apis` in ten seconds together. One that
//! it serves costs one read in ten seconds at most, and only while somebody asks for a kind that it does not have. No
//! lock is held while a served API version is read, so a server that hangs delays only those who ask for its kinds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroupList;
use parking_lot::Mutex;

use crate::{
    clock::Clock,
    read::{ReadError, Reader},
    remembered::Remembered,
    scale_target::{self, ServedKind},
};

/// Most API versions that are remembered: more than a cluster serves. Beyond it, the one is forgotten that was read the
/// longest time ago.
const REMEMBERED: usize = 512;
/// The only version of the core group, which `/apis` does not list.
const CORE: &str = "v1";

/// The answers of discovery so far.
pub struct Kinds {
    reader: Reader,
    clock: Arc<dyn Clock>,
    versions: Remembered<BTreeSet<String>>,
    /// The kinds of each API version that the cluster serves.
    served: Mutex<BTreeMap<String, Arc<Remembered<Vec<ServedKind>>>>>,
}

impl Kinds {
    /// Nothing is read yet.
    pub fn new(reader: Reader, clock: Arc<dyn Clock>) -> Self {
        Self {
            reader,
            clock,
            versions: Remembered::default(),
            served: Mutex::default(),
        }
    }

    /// How the API server serves a kind of an API version; `None` where it does not. A kind that is `enough` is never
    /// read again; one that is not, such as one without a `scale` subresource, may have changed since.
    ///
    /// # Errors
    /// When the API server does not say. The failure is remembered, and repeated to all who ask, until the next read.
    pub async fn find(
        &self,
        api_version: &str,
        kind: &str,
        enough: impl Fn(&ServedKind) -> bool,
    ) -> Result<Option<ServedKind>, ReadError> {
        let now = || self.clock.monotonic();
        let known = self.served.lock().get(api_version).cloned();
        let known = match known {
            Some(known) => known,
            // This is asked first, so that an invented version costs neither a request of its own nor memory.
            None if self.is_served(api_version).await? => self.remember(api_version),
            None => return Ok(None),
        };
        let kinds = known
            .get(
                now,
                |kinds| ServedKind::find(kinds, kind).is_some_and(&enough),
                async || match scale_target::kinds(&self.reader, api_version).await {
                    // The version is not served any more.
                    Err(error) if error.is_not_found() => Ok(Vec::new()),
                    read => read,
                },
            )
            .await?;
        Ok(ServedKind::find(&kinds, kind).cloned())
    }

    async fn is_served(&self, api_version: &str) -> Result<bool, ReadError> {
        if api_version == CORE {
            return Ok(true);
        }
        let now = || self.clock.monotonic();
        let contains = |versions: &BTreeSet<String>| versions.contains(api_version);
        let read = async || Ok(versions(self.reader.get("/apis").await?));
        Ok(contains(&*self.versions.get(now, contains, read).await?))
    }

    fn remember(&self, api_version: &str) -> Arc<Remembered<Vec<ServedKind>>> {
        let mut served = self.served.lock();
        let known = served.entry(api_version.to_owned()).or_default().clone();
        while served.len() > REMEMBERED {
            let others = served.iter().filter(|(version, _)| *version != api_version);
            let oldest = others.min_by_key(|(_, kinds)| kinds.next());
            let Some(oldest) = oldest.map(|(version, _)| version.clone()) else {
                break;
            };
            served.remove(&oldest);
        }
        known
    }
}

fn versions(groups: APIGroupList) -> BTreeSet<String> {
    let versions = groups.groups.into_iter().flat_map(|group| group.versions);
    versions.map(|version| version.group_version).collect()
}

#[cfg(test)]
mod tests;
