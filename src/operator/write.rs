//! The only place that writes to the API server. Every write passes the leader's fence and has a time limit.

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
    core::{DynamicObject, PartialObjectMeta},
};
use serde_json::{Value, json};

use crate::{error::WriteError, live::api_resource, metrics::Metrics};
use vas_api::{FIELD_MANAGER, FIELD_MANAGER_STATUS, v1alpha1::VoiceAssistScaling};
use vas_cluster::leader::Fence;
use vas_core::{
    k8s::resource_ref::ResourceRef,
    reconcile::{
        child::{ChildKind, ChildRef},
        drift,
    },
};

/// Longest wait for the answer to one write.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A resourceVersion that no object ever has. An apply with this version is refused as a conflict if the
/// object exists, and creates the object if it does not. Server-side apply has no other way to say "create
/// only".
const NO_OBJECT: &str = "1";

/// Writes to the API server with the operator's field managers.
#[derive(Clone)]
pub(super) struct Writer {
    client: Client,
    fence: Fence,
    metrics: Metrics,
}

impl Writer {
    pub(super) fn new(client: Client, fence: Fence, metrics: Metrics) -> Self {
        Self {
            client,
            fence,
            metrics,
        }
    }

    /// Creates a child. The result is a conflict if an object of that name exists.
    pub(super) async fn create(
        &self,
        namespace: &str,
        child: &ChildRef,
        body: &Value,
    ) -> Result<(), WriteError> {
        let body = with_metadata(body, "resourceVersion", NO_OBJECT);
        self.apply(namespace, child, &body, false).await
    }

    /// Applies a child over the object with this UID. Without `force`, fields that other managers own with
    /// other values are a conflict, which names those fields and managers.
    pub(super) async fn update(
        &self,
        namespace: &str,
        child: &ChildRef,
        body: &Value,
        uid: &str,
        force: bool,
    ) -> Result<(), WriteError> {
        let body = with_metadata(body, "uid", uid);
        self.apply(namespace, child, &body, force).await
    }

    async fn apply(
        &self,
        namespace: &str,
        child: &ChildRef,
        body: &Value,
        force: bool,
    ) -> Result<(), WriteError> {
        let mut params = PatchParams::apply(FIELD_MANAGER);
        params.force = force;
        let api = self.children(namespace, child.kind);
        let patch = Patch::Apply(body);
        let stored = self.send(api.patch(&child.name, &params, &patch)).await?;
        // The answer is the object as it was stored. A field that this API server does not know is missing in
        // it.
        let dropped = drift::dropped(body, &stored.data);
        if dropped.is_empty() {
            Ok(())
        } else {
            Err(WriteError::Dropped(dropped))
        }
    }

    /// Deletes the child with this UID. A child that is already gone counts as deleted.
    pub(super) async fn delete(
        &self,
        namespace: &str,
        child: &ChildRef,
        uid: &str,
    ) -> Result<(), WriteError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: None,
            }),
            ..DeleteParams::background()
        };
        let api = self.children(namespace, child.kind);
        gone_is_fine(self.send(api.delete(&child.name, &params)).await)
    }

    /// Applies the operator's part of the status of the resource with this UID, and counts the write. A resource
    /// that is already gone is no error.
    pub(super) async fn status(&self, resource: &ResourceRef, status: &Value) -> Result<(), WriteError> {
        let ResourceRef {
            namespace, name, uid, ..
        } = resource;
        let body = json!({
            "apiVersion": VoiceAssistScaling::api_version(&()),
            "kind": VoiceAssistScaling::kind(&()),
            "metadata": {"namespace": namespace, "name": name, "uid": uid},
            "status": status,
        });
        // Only the metadata of the answer is parsed: the spec may be one that this operator cannot parse.
        let api: Api<PartialObjectMeta<VoiceAssistScaling>> = Api::namespaced(self.client.clone(), namespace);
        let params = PatchParams::apply(FIELD_MANAGER_STATUS).force();
        let patch = Patch::Apply(&body);
        let written = gone_is_fine(self.send(api.patch_status(name, &params, &patch)).await);
        self.metrics.status_written(written.is_ok());
        written
    }

    /// Creates an Event.
    pub(super) async fn event(&self, namespace: &str, event: &Event) -> Result<(), WriteError> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        self.send(api.create(&PostParams::default(), event)).await?;
        Ok(())
    }

    fn children(&self, namespace: &str, kind: ChildKind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &api_resource(kind))
    }

    async fn send<T>(&self, request: impl Future<Output = Result<T, kube::Error>>) -> Result<T, WriteError> {
        match tokio::time::timeout(TIME_LIMIT, self.fence.write(request)).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(fenced)) => Err(fenced.into()),
            Err(_) => Err(WriteError::Timeout(TIME_LIMIT)),
        }
    }
}

fn gone_is_fine<T>(result: Result<T, WriteError>) -> Result<(), WriteError> {
    match result {
        Err(WriteError::Api(kube::Error::Api(status))) if status.code == 404 => Ok(()),
        result => result.map(|_| ()),
    }
}

fn with_metadata(body: &Value, field: &str, value: &str) -> Value {
    let mut body = body.clone();
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        metadata.insert(field.to_owned(), Value::from(value));
    }
    body
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, http::StatusCode, response::IntoResponse as _};
    use prometheus_client::{encoding::text::encode, registry::Registry};
    use vas_core::monitoring::families::operator::STATUS_WRITES;

    use super::*;

    #[tokio::test]
    async fn every_write_of_a_status_is_counted() {
        let server = Router::new().fallback(async |request: axum::extract::Request| {
            if request.uri().path().contains("/broken/") {
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            } else {
                Json(json!({"metadata": {"name": "v"}})).into_response()
            }
        });
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry, TIME_LIMIT);
        let writer = Writer::new(Client::new(server, "default"), Fence::open(), metrics);
        for name in ["fine", "broken", "fine"] {
            let resource = ResourceRef {
                namespace: "ns".to_owned(),
                name: name.to_owned(),
                uid: "1".to_owned(),
                generation: 1,
            };
            let written = writer.status(&resource, &json!({"conditions": []})).await;
            assert_eq!(written.is_ok(), name == "fine", "{written:?}");
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let series = STATUS_WRITES.series();
        for (result, count) in [("written", 2), ("failed", 1)] {
            let line = format!("{series}{{result=\"{result}\"}} {count}\n");
            assert!(text.contains(&line), "{text}");
        }
    }
}
