//! `vas simulate sync`: one sync of the HPA controller, and `vas simulate schema`: the forms of its files.

use clap::ValueEnum;

use super::print;
use crate::{
    exit::{Code, CommandError, Ended},
    input::{self, InputError},
    output::{self, OutputError},
};
use vas_cluster::clock::{Clock as _, SystemClock};
use vas_diagnose::simulate::{
    comparison::json,
    sync::{self, SyncError},
};

/// Largest file, in bytes: 64 MiB, for some ten thousand pods.
const MAX_BYTES: u64 = 64 << 20;

/// Run one sync of the HPA controller on what a file says it reads and remembers
///
/// The file has the HPA, the scale of its target, the pods, the answers of the metrics APIs, and what the controller
/// remembers of earlier syncs. The output has what each metric asks for, the replicas after the sync, what decided
/// them, the conditions, and what the controller remembers then. The algorithm is held to the decisions of the real
/// controller of Kubernetes 1.37.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  hpa: {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: ...}    # kubectl get hpa NAME -o yaml
  scale: {spec: {replicas: 3}, status: {replicas: 3, selector: app=web}}         # kubectl get deploy NAME --subresource=scale -o yaml
  pods: []                                 # items of kubectl get pods -l app=web -o yaml
  answers:                                 # one for each metric of the HPA
  - items: [{metricName: depth, value: \"300\"}]
  - error: no value
  state:                                   # without it, the controller sees the HPA for the first time
    recommendations: [{replicas: 3, ageSeconds: 15}]
    scaleUpEvents: [{change: 1, ageSeconds: 40}]

Every field: vas simulate schema sync

Exit codes: 0 simulated, 1 the output cannot be written, 2 usage, or the file describes no sync.")]
pub(super) struct Args {
    /// File in YAML or JSON; - reads standard input
    #[arg(short, long = "filename", value_name = "FILE")]
    filename: String,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    Text,
    /// One JSON object, whose form `vas simulate schema result` prints.
    Json,
}

/// Print the JSON schema of the files of `vas simulate sync`, of its output, or of that of `vas simulate`
#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Which form
    #[arg(value_enum, default_value_t = Form::Sync)]
    of: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// What `vas simulate sync` reads.
    Sync,
    /// What `vas simulate sync -o json` prints.
    Result,
    /// What `vas simulate -o json=FILE` writes.
    Replay,
}

/// Reasons why nothing was simulated.
#[derive(Debug, thiserror::Error)]
enum SimulateError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{file}: {source}")]
    Sync { file: String, source: SyncError },
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl CommandError for SimulateError {
    fn code(&self) -> Code {
        match self {
            Self::Output(error) => error.code(),
            Self::Input(_) | Self::Sync { .. } => Code::Invalid,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        self.simulate()?;
        Ok(Code::Success)
    }

    fn simulate(&self) -> Result<(), SimulateError> {
        let value = input::value_within(&self.filename, MAX_BYTES)?;
        let refused = |source| SimulateError::Sync {
            file: self.filename.clone(),
            source,
        };
        let document = sync::read(value).map_err(refused)?;
        let report = sync::run(&document, SystemClock::new().now()).map_err(refused)?;
        output::text(&match self.output {
            Format::Text => print::text(&report),
            Format::Json => serde_json::to_string_pretty(&report).map_err(OutputError::from)? + "\n",
        })?;
        Ok(())
    }
}

impl SchemaArgs {
    pub(super) fn run(&self) -> Ended {
        let schema = match self.of {
            Form::Sync => sync::document_schema(),
            Form::Result => sync::report_schema(),
            Form::Replay => json::schema(),
        };
        output::text(&format!("{schema:#}\n"))?;
        Ok(Code::Success)
    }
}
