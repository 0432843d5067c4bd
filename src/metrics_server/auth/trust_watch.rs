//! Follows the ConfigMap in which kube-apiserver publishes which CAs and which front proxy to trust.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, runtime::watcher};
use vas_cluster::watch::{One, Restarts, events, named};

use super::authn::{CurrentTrust, Trust};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";

/// Keeps the trust up to date for ever. If the ConfigMap is not usable, or is deleted, the trust stays as it
/// was.
pub(crate) async fn follow(client: Client, trust: &CurrentTrust, restarts: &Restarts) {
    let api: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let see = One(
        |config_map: Result<Option<ConfigMap>, &watcher::Error>| match config_map {
            Ok(Some(config_map)) => take(config_map, trust),
            Ok(None) => tracing::error!(configmap = NAME, "does not exist; the trust stays as it was"),
            Err(_) => {}
        },
    );
    vas_cluster::watch::follow(NAME, restarts, events(api, named(NAME)), see).await;
}

fn take(config_map: ConfigMap, trust: &CurrentTrust) {
    match Trust::parse(&config_map.data.unwrap_or_default()) {
        Ok(new) => {
            tracing::debug!("read whom to trust");
            trust.set(new);
        }
        Err(error) => tracing::error!(configmap = NAME, %error, "is not usable; the trust stays as it was"),
    }
}
