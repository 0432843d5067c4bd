//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::Error;

/// Plays VoiceAssist's gateway and workers for pods that run nothing.
#[derive(Debug, Parser)]
pub struct Arguments {
    /// Kubeconfig of an account that may watch and patch the pods.
    #[arg(long)]
    kubeconfig: PathBuf,
    /// Namespace of the Deployments.
    #[arg(long)]
    pub namespace: String,
    /// Deployment whose pods share the requests.
    #[arg(long, default_value = "api-gateway")]
    pub gateway: String,
    /// Deployment whose pods drain the queue.
    #[arg(long, default_value = "worker")]
    pub worker: String,
    /// Where to serve /metrics and the steering.
    #[arg(long)]
    pub listen: SocketAddr,
}

impl Arguments {
    /// A client for the kubeconfig.
    pub async fn client(&self) -> Result<Client, Error> {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    }
}
