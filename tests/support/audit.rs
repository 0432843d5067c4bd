//! The API server's audit log: who wrote what.

use serde::Deserialize;

use super::Cluster;

/// One finished request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub verb: String,
    #[serde(rename = "requestURI")]
    pub uri: String,
    pub user: User,
    #[serde(default)]
    pub user_agent: String,
    #[serde(default, rename = "objectRef")]
    pub object: Option<ObjectRef>,
    #[serde(default, rename = "responseStatus")]
    pub response: Option<ResponseStatus>,
    /// Body of the request. The audit policy records it for scale subresources only.
    #[serde(default, rename = "requestObject")]
    pub body: Option<serde_json::Value>,
    /// When the request arrived, with microseconds.
    #[serde(rename = "requestReceivedTimestamp")]
    pub received: jiff::Timestamp,
    stage: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub username: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub api_group: String,
    pub subresource: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ResponseStatus {
    #[serde(default)]
    pub code: u16,
    /// Why the request failed, in the API server's words.
    #[serde(default)]
    pub message: String,
}

impl Request {
    /// POST, PUT, PATCH or DELETE.
    pub fn is_write(&self) -> bool {
        matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        )
    }

    pub fn in_namespace(&self, namespace: &str) -> bool {
        self.object
            .as_ref()
            .is_some_and(|object| object.namespace == namespace)
    }

    pub fn is_about(&self, resource: &str) -> bool {
        self.object
            .as_ref()
            .is_some_and(|object| object.resource == resource)
    }
}

/// All finished requests so far, oldest first. A line that is still being written is left out.
pub fn requests(cluster: &Cluster) -> Vec<Request> {
    let mut requests = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(cluster.dir())
        .expect("the cluster's folder can be listed")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("audit"))
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        requests.extend(
            text.lines()
                .filter_map(|line| serde_json::from_str::<Request>(line).ok())
                .filter(|request| request.stage == "ResponseComplete"),
        );
    }
    requests.sort_by_key(|request| request.received);
    requests
}

/// Writes since a moment, in a namespace.
pub fn writes_since(cluster: &Cluster, namespace: &str, since: jiff::Timestamp) -> Vec<Request> {
    requests(cluster)
        .into_iter()
        .filter(|request| request.is_write() && request.in_namespace(namespace))
        .filter(|request| request.received >= since)
        .collect()
}
