//! `--kubeconfig` and `--context`: which API server a command uses.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::Args;
use kube::{
    Client, Config,
    client::ClientBuilder,
    config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use vas_cluster::telemetry::api_requests::ApiRequests;

/// Longest wait for a connection to the API server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How the API server is reached. Without either flag: `KUBECONFIG`, then `~/.kube/config`, then the service
/// account of the pod.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Kubernetes")]
pub(crate) struct KubeConfigArgs {
    /// Path to a kubeconfig file. Default: KUBECONFIG, ~/.kube/config, or the pod's service account
    #[arg(long, value_name = "FILE", env = "VAS_KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// Context in the kubeconfig. Default: its current context
    #[arg(long, value_name = "NAME", env = "VAS_CONTEXT")]
    context: Option<String>,
}

/// The given namespace; without one, that of the context.
pub(crate) fn namespace_of(given: Option<&str>, client: &Client) -> String {
    given.unwrap_or(client.default_namespace()).to_owned()
}

/// Reasons why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KubeConfigError {
    /// The named file or context cannot be used.
    #[error("cannot use the kubeconfig (--kubeconfig, --context): {0}")]
    Kubeconfig(#[from] KubeconfigError),
    /// There is neither a kubeconfig nor a service account.
    #[error("no cluster to talk to: give --kubeconfig, set KUBECONFIG, or run in a pod ({0})")]
    Infer(#[from] InferConfigError),
    /// The configuration is read, but no client can be made of it.
    #[error("cannot make a client from the kubeconfig: {0}")]
    Client(#[from] kube::Error),
}

impl KubeConfigArgs {
    /// Flags with which another process of this program reaches the same cluster.
    pub(crate) fn flags(&self) -> Vec<OsString> {
        let file = self
            .kubeconfig
            .iter()
            .map(|file| ("--kubeconfig", file.clone().into_os_string()));
        let context = self.context.iter().map(|context| ("--context", context.into()));
        file.chain(context)
            .flat_map(|(flag, value)| [flag.into(), value])
            .collect()
    }

    /// A client for the chosen cluster. [`Client::default_namespace`] is the namespace of the context or of
    /// the pod.
    ///
    /// The client does not retry requests: each caller has its own backoff. A leader must not send a write
    /// again after its lease may have ended.
    ///
    /// # Errors
    /// See [`KubeConfigError`].
    pub(crate) async fn client(&self) -> Result<Client, KubeConfigError> {
        self.counted(&ApiRequests::default()).await
    }

    /// Like [`client`](Self::client); the requests are counted.
    ///
    /// # Errors
    /// See [`KubeConfigError`].
    pub(crate) async fn counted(&self, requests: &ApiRequests) -> Result<Client, KubeConfigError> {
        let mut config = self.config().await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.default_retry = false;
        config.headers.push((
            hyper::header::USER_AGENT,
            hyper::header::HeaderValue::from_static(concat!("vas/", env!("CARGO_PKG_VERSION"))),
        ));
        Ok(ClientBuilder::try_from(config)?.with_layer(requests).build())
    }

    async fn config(&self) -> Result<Config, KubeConfigError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path)?;
                Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
            }
            None if self.context.is_some() => Ok(Config::from_kubeconfig(&options).await?),
            None => Ok(Config::infer().await?),
        }
    }
}
