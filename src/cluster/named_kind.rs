//! Which kind a word of a command line means, as kubectl reads it: `deploy`, `statefulset`, `rollouts.argoproj.io`.
//!
//! Must not: keep anything. A command asks once; servers ask [`crate::kinds`].

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroupList;

use crate::{
    read::{ReadError, Reader},
    scale_target::{self, ServedKind},
};

/// A kind, and the API version in which the API server prefers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKind {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind in it.
    pub served: ServedKind,
}

/// Finds the kind: plural or singular, in any case, with `.GROUP` behind it or not. `None` if the API server serves no such
/// kind. Of several groups with that kind, one in which it can be scaled goes first.
///
/// # Errors
/// When discovery cannot be read. A group that does not answer is passed over, unless the word names it.
pub async fn find(reader: &Reader, word: &str) -> Result<Option<NamedKind>, ReadError> {
    let word = match word.to_ascii_lowercase().as_str() {
        "deploy" | "deployment" | "deployments" => "deployments.apps".to_owned(),
        "sts" | "statefulset" | "statefulsets" => "statefulsets.apps".to_owned(),
        other => other.to_owned(),
    };
    let (name, group) = match word.split_once('.') {
        Some((name, group)) => (name, Some(group)),
        None => (word.as_str(), None),
    };
    let groups: APIGroupList = reader.get("/apis").await?;
    let versions = groups
        .groups
        .into_iter()
        .filter(|one| group.is_none_or(|group| one.name == group))
        .filter_map(|one| Some(one.preferred_version?.group_version));
    let mut found = None;
    for api_version in versions {
        let kinds = match scale_target::kinds(reader, &api_version).await {
            Err(error) if group.is_some() => return Err(error),
            read => read.unwrap_or_default(),
        };
        let Some(served) = named(kinds, name) else {
            continue;
        };
        let scalable = served.scalable;
        let kind = NamedKind { api_version, served };
        if scalable {
            return Ok(Some(kind));
        }
        found = found.or(Some(kind));
    }
    Ok(found)
}

fn named(kinds: Vec<ServedKind>, name: &str) -> Option<ServedKind> {
    kinds
        .into_iter()
        .find(|served| served.plural == name || served.kind.eq_ignore_ascii_case(name))
}
