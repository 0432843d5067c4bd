//! Follows the ConfigMap in which kube-apiserver publishes which CAs and which front proxy to trust.

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};

use super::authn::{CurrentTrust, Trust};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";

/// Keeps the trust up to date for ever. If the ConfigMap is not usable, or is deleted, the trust stays as it
/// was.
pub(crate) async fn follow(client: Client, trust: &CurrentTrust) {
    let api: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let config = watcher::Config::default().fields(&format!("metadata.name={NAME}"));
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::InitApply(config_map) | Event::Apply(config_map)) => {
                match Trust::parse(&config_map.data.unwrap_or_default()) {
                    Ok(new) => {
                        tracing::debug!("read whom to trust");
                        trust.set(new);
                    }
                    Err(error) => {
                        tracing::error!(configmap = NAME, %error, "is not usable; the trust stays as it was");
                    }
                }
            }
            Ok(Event::Delete(_)) => {
                tracing::error!(configmap = NAME, "is gone; the trust stays as it was");
            }
            Ok(Event::Init | Event::InitDone) => {}
            Err(error) => {
                tracing::warn!(configmap = NAME, %error, "the watch failed; trying again");
            }
        }
    }
}
