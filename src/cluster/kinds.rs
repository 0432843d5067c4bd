//! A cache of how the API server serves kinds: the name of a kind in paths, and whether it can be scaled.
//!
//! Invariant: neither memory nor requests grow with the names that tenants invent, because everybody who may
//! write a resource can name any API version. All API versions that the cluster does not serve cost one read
//! of `/apis` in ten seconds together. An API version that it serves costs at most one read in ten seconds,
//! and only while a caller needs a kind that it does not have. No lock is held while an API version is read,
//! so an aggregated API server that hangs delays only callers that need its kinds.

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

/// Greatest number of API versions in the cache; it is larger than what a cluster serves. Beyond it, the API
/// version that was read the longest time ago is dropped.
const REMEMBERED: usize = 512;
/// The only version of the core group, which `/apis` does not list.
const CORE: &str = "v1";

/// The cache of kinds, shared by all callers of one program.
pub struct Kinds {
    reader: Reader,
    clock: Arc<dyn Clock>,
    /// The API versions that `/apis` lists.
    versions: Remembered<BTreeSet<String>>,
    /// The kinds of each API version that the cluster serves.
    served: Mutex<BTreeMap<String, Arc<Remembered<Vec<ServedKind>>>>>,
}

impl Kinds {
    /// An empty cache. The first caller makes it read.
    pub fn new(reader: Reader, clock: Arc<dyn Clock>) -> Self {
        Self {
            reader,
            clock,
            versions: Remembered::default(),
            served: Mutex::default(),
        }
    }

    /// How the API server serves a kind of an API version; `None` if it does not serve the kind. A kind that
    /// is `enough` for the caller is never read again. Any other kind, for example one without a `scale`
    /// subresource, is read again after a while, because it may have changed.
    ///
    /// # Errors
    /// When discovery cannot be read. All callers get the same error until the next read.
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
            // `/apis` comes first, so that an invented version costs neither a request of its own nor memory.
            None if self.is_served(api_version).await? => self.remember(api_version),
            None => return Ok(None),
        };
        let kinds = known
            .get(
                now,
                |kinds| ServedKind::find(kinds, kind).is_some_and(&enough),
                async || match scale_target::kinds(&self.reader, api_version).await {
                    // `/apis` listed the version before, but it has been removed since.
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
