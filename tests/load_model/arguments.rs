//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, ValueEnum};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{
    Error,
    model::{Capacity, Shape},
};

/// Plays VoiceAssist's gateway and workers for pods that run nothing.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Kubeconfig of an account that may watch and patch the pods.
    #[arg(long, required_unless_present = "pods")]
    kubeconfig: Option<PathBuf>,
    /// Namespace of the Deployments.
    #[arg(
        long,
        required_unless_present = "pods",
        default_value_if("pods", clap::builder::ArgPredicate::IsPresent, "default")
    )]
    pub namespace: Option<String>,
    /// Plays so many Ready gateway pods without a cluster.
    #[arg(long, conflicts_with = "kubeconfig")]
    pub pods: Option<u32>,
    /// Deployment whose pods share the requests.
    #[arg(long, default_value = "api-gateway")]
    pub gateway: String,
    /// Deployment whose pods drain the queue.
    #[arg(long, default_value = "worker")]
    pub worker: String,
    /// Where to serve /metrics and the steering.
    #[arg(long)]
    pub listen: SocketAddr,
    /// Where to answer requests for real.
    #[arg(long)]
    pub service_listen: Option<SocketAddr>,
    #[command(flatten)]
    pub service: ServiceArguments,
}

/// What the service can do.
#[derive(Debug, Args)]
pub(crate) struct ServiceArguments {
    /// Requests per second of one Ready gateway pod.
    #[arg(long, default_value = "120", value_parser = positive)]
    capacity: f64,
    /// What more pods add.
    #[arg(long, value_enum, default_value_t = ShapeName::Linear)]
    capacity_shape: ShapeName,
    /// Contention of the USL shape, 0 to 1.
    #[arg(long, default_value = "0.03", value_parser = share)]
    usl_alpha: f64,
    /// Crosstalk of the USL shape, 0 to 1.
    #[arg(long, default_value = "0.002", value_parser = share)]
    usl_beta: f64,
    /// Latency of a request that does not wait, such as 20ms.
    #[arg(long, default_value = "20ms", value_parser = latency)]
    pub service_time: Duration,
    /// Requests that may wait; beyond, they are answered 503.
    #[arg(long, default_value_t = 1000)]
    pub queue_limit: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShapeName {
    /// However many pods there are, the capacity of one.
    Constant,
    /// In proportion to the pods.
    Linear,
    /// By the Universal Scalability Law.
    Usl,
}

impl ServiceArguments {
    /// The capacity that is asked for.
    pub(crate) fn capacity(&self) -> Capacity {
        Capacity {
            of_one_pod: self.capacity,
            shape: match self.capacity_shape {
                ShapeName::Constant => Shape::Constant,
                ShapeName::Linear => Shape::Linear,
                ShapeName::Usl => Shape::Usl {
                    alpha: self.usl_alpha,
                    beta: self.usl_beta,
                },
            },
        }
    }
}

impl Arguments {
    /// Namespace in the series.
    pub(crate) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }

    /// A client for the kubeconfig.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        let file = self.kubeconfig.as_ref().ok_or("--kubeconfig is missing")?;
        let kubeconfig = Kubeconfig::read_from(file)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(Client::try_from(config)?)
    }
}

/// Milliseconds or seconds: `20ms`, `1.5s`.
fn latency(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').unwrap_or_default(), 1.0),
    };
    let seconds = number.parse::<f64>().ok().map(|number| number * unit);
    seconds
        .filter(|seconds| *seconds <= 60.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "must be such as 20ms or 1.5s, and at most 60s".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, "a number above 0 and at most 1e6", |number| {
        number > 0.0 && number <= 1e6
    })
}

fn share(text: &str) -> Result<f64, String> {
    number(text, "a number from 0 to 1", |number| {
        (0.0..=1.0).contains(&number)
    })
}

fn number(text: &str, what: &str, is_meant: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| is_meant(*number));
    number.ok_or_else(|| format!("must be {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(format!("load-model --listen 127.0.0.1:1 {words}").split_whitespace())
    }

    #[test]
    fn either_a_cluster_or_played_pods_are_needed() {
        assert!(parse("").is_err());
        assert!(parse("--kubeconfig k").is_err());
        assert!(parse("--kubeconfig k --namespace n").is_ok());
        assert_eq!(parse("--pods 3").unwrap().namespace(), "default");
        assert_eq!(parse("--pods 3 --namespace n").unwrap().namespace(), "n");
        assert!(parse("--pods 3 --kubeconfig k --namespace n").is_err());
    }

    #[test]
    fn capacities_that_cannot_be_are_refused() {
        for words in [
            "--capacity 0",
            "--capacity NaN",
            "--usl-alpha 2",
            "--service-time 20",
        ] {
            assert!(parse(&format!("--pods 1 {words}")).is_err(), "{words}");
        }
    }

    #[test]
    fn the_shape_is_taken_with_its_parameters() {
        let arguments =
            parse("--pods 1 --capacity 50 --capacity-shape usl --usl-alpha 0.1 --usl-beta 0.01").unwrap();
        let shape = Shape::Usl {
            alpha: 0.1,
            beta: 0.01,
        };
        assert_eq!(
            arguments.service.capacity(),
            Capacity {
                of_one_pod: 50.0,
                shape
            }
        );
    }
}
