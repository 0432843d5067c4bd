//! `make bench ARGS="..."`.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// Measure vas metrics-server beside other adapters, and write docs/benchmarks.md
#[derive(Clone, Debug, Parser)]
#[command(
    name = "make bench ARGS=\"...\"",
    bin_name = "make bench ARGS=\"...\"",
    no_binary_name = false
)]
pub(crate) struct Arguments {
    /// Adapters to compare with
    #[arg(long, value_enum, value_delimiter = ',', default_value = "prometheus-adapter")]
    pub peers: Vec<Peer>,
    /// How KEDA reads: what each request costs, and how old a value may be, depends on it
    #[arg(long, value_enum, default_value_t = KedaReads::Live)]
    pub keda_reads: KedaReads,
    /// Reads to measure
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "object,pods,external,discovery"
    )]
    pub reads: Vec<Read>,
    /// Requests per second of the open loops
    #[arg(long, value_delimiter = ',', default_value = "50,200,667")]
    pub rates: Vec<u32>,
    /// Ways to the server
    #[arg(long, value_enum, value_delimiter = ',', default_value = "direct,api-server")]
    pub ways: Vec<Way>,
    /// Workloads of the first part; each has a namespace, three pods and its own URLs
    #[arg(long, default_value_t = 200)]
    pub workloads: usize,
    /// Workloads of the second part, the HPA's pattern
    #[arg(long, default_value_t = 1000)]
    pub many_workloads: usize,
    /// Pods of others in the second part
    #[arg(long, default_value_t = 20_000)]
    pub foreign_pods: usize,
    /// Seconds of one stretch of load
    #[arg(long, default_value_t = 4)]
    pub seconds: u64,
    /// How often each stretch is repeated, in turn with those of the other servers
    #[arg(long, default_value_t = 2)]
    pub rounds: u32,
    /// A few seconds of everything: does it work? Its figures mean nothing
    #[arg(long)]
    pub quick: bool,
    /// Where the report goes; a quick run writes to target/bench/quick.md unless told otherwise
    #[arg(long)]
    pub output: Option<PathBuf>,
    /// Most minutes the whole run may take
    #[arg(long, default_value_t = 30)]
    pub deadline: u64,
}

/// Another adapter that is measured beside ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// None at all
    None,
    /// sigs.k8s.io/prometheus-adapter
    PrometheusAdapter,
    /// github.com/kedacore/keda: its adapter with its operator, which serve External only
    Keda,
}

/// Where KEDA takes a value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KedaReads {
    /// From Prometheus at each request, as by default
    Live,
    /// From its own last poll, every 30 s (`useCachedMetrics`)
    Cached,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Read {
    /// One number that describes a Deployment
    Object,
    /// One number for each of three pods
    Pods,
    /// One number of external.metrics.k8s.io
    External,
    /// The list of what is served
    Discovery,
}

/// How a request reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Way {
    /// Straight, with the front proxy's certificate and the HPA's name
    Direct,
    /// Through the API server, with the HPA's token
    ApiServer,
}

impl Arguments {
    /// The arguments with the meaning of `--quick` filled in.
    pub(crate) fn resolved(self) -> Self {
        if !self.quick {
            return self;
        }
        Self {
            rates: vec![50, 200],
            workloads: 10,
            many_workloads: 20,
            foreign_pods: 50,
            seconds: 1,
            rounds: 1,
            ..self
        }
    }

    /// Whether a peer is to be measured.
    pub(crate) fn has(&self, peer: Peer) -> bool {
        self.peers.contains(&peer)
    }

    /// Length of one stretch of load.
    pub(crate) fn stretch(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Where the report goes.
    pub(crate) fn report(&self) -> PathBuf {
        let usual = if self.quick {
            "target/bench/quick.md"
        } else {
            "docs/benchmarks.md"
        };
        self.output.clone().unwrap_or_else(|| PathBuf::from(usual))
    }
}

impl Read {
    /// Name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Object => "Object",
            Self::Pods => "Pods",
            Self::External => "External",
            Self::Discovery => "discovery",
        }
    }
}

impl Way {
    /// Name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::ApiServer => "through the API server",
        }
    }
}
