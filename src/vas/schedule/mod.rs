//! `vas schedule`: lists when the bounds of a resource's workloads change.

mod print;

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp, Unit};
use kube::Api;
use serde::Serialize;

use crate::{
    exit::{Code, CommandError, Ended},
    input::Input,
    kube_config::{KubeConfigArgs, KubeConfigError, namespace_of},
    output::{self, OfflineError, OutputError},
    runtime,
    validate::scalings,
};
use vas_api::v1alpha1::VoiceAssistScaling;
use vas_cluster::{
    clock::{Clock as _, SystemClock},
    request::{RequestError, answer},
};
use vas_core::{
    reconcile::suspend::freeze,
    schedule::Timetable,
    spec::{
        model::Scaling,
        rules::{Validation, validate},
    },
};

/// List when schedules change the bounds of workloads
///
/// Each line is a moment from which on other entries are active: the local time of the entry's zone with its offset,
/// minReplicas, maxReplicas and the entries. The first line is what holds now. It reads one resource of the cluster, or
/// files without a cluster.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas schedule voiceassist -n voiceassist-production
  vas schedule -f web.yaml --environment production --days 60
  vas schedule -f web.yaml -o json | jq -r '.[].workloads[].rows[] | [.time, .minReplicas] | @tsv'

Exit codes: 0 listed, 1 the resource cannot be read, 2 usage, or the resource breaks a rule.")]
pub(super) struct Args {
    /// Name of a VoiceAssistScaling on the cluster
    #[arg(
        value_name = "NAME",
        required_unless_present = "filenames",
        conflicts_with = "filenames"
    )]
    name: Option<String>,
    /// File with YAML or JSON documents; - reads standard input. May be given several times
    #[arg(short, long = "filename", value_name = "FILE")]
    filenames: Vec<String>,
    /// Namespace of the VoiceAssistScaling. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// List this environment instead of the one spec.environment names
    #[arg(long, value_name = "NAME", requires = "filenames")]
    environment: Option<String>,
    /// How many days from now on
    #[arg(long, value_name = "NUMBER", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    #[command(flatten)]
    kube: KubeConfigArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for each workload.
    Text,
    /// A list with one entry for each resource.
    Json,
}

/// The timetables of one resource.
#[derive(Debug, Serialize)]
struct Listed {
    namespace: String,
    name: String,
    /// The workloads with a schedule.
    workloads: Vec<Timetable>,
}

/// Reasons why nothing was listed.
#[derive(Debug, thiserror::Error)]
enum ScheduleError {
    #[error(transparent)]
    Kube(#[from] KubeConfigError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Offline(#[from] OfflineError),
    #[error("{name} breaks a rule, so it has no schedule: {rule}")]
    Invalid { name: String, rule: String },
}

impl CommandError for ScheduleError {
    fn code(&self) -> Code {
        match self {
            Self::Kube(_) | Self::Request(_) => Code::Failure,
            Self::Offline(error) => error.code(),
            Self::Invalid { .. } => Code::Invalid,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let now = SystemClock::new().now();
        let now = now.round(Unit::Second).unwrap_or(now);
        let scalings = match &self.name {
            Some(name) => vec![runtime::of_this_thread()?.block_on(self.read(name, now))?],
            None => self.files(now)?,
        };
        let until = now
            .checked_add(SignedDuration::from_hours(24 * i64::from(self.days)))
            .unwrap_or(Timestamp::MAX);
        let listed: Vec<Listed> = scalings
            .iter()
            .map(|scaling| Listed::of(scaling, now, until))
            .collect();
        output::text(&match self.output {
            Format::Text => print::text(&listed),
            Format::Json => serde_json::to_string_pretty(&listed).map_err(OutputError::from)? + "\n",
        })?;
        Ok(Code::Success)
    }

    /// The resource of this name on the cluster. Workloads that break a rule are left out, as by the operator.
    async fn read(&self, name: &str, now: Timestamp) -> Result<Scaling, ScheduleError> {
        let client = self.kube.client().await?;
        let namespace = namespace_of(self.namespace.as_deref(), &client);
        let resources: Api<VoiceAssistScaling> = Api::namespaced(client, &namespace);
        let what = format!("read VoiceAssistScaling {name} in {namespace}");
        let object = answer(&what, resources.get(name)).await?;
        let mut validation = validate(&object);
        freeze(&object, &mut validation, now);
        let Validation {
            scaling, violations, ..
        } = validation;
        scaling.ok_or_else(|| ScheduleError::Invalid {
            name: name.to_owned(),
            rule: violations.first().map(ToString::to_string).unwrap_or_default(),
        })
    }

    fn files(&self, now: Timestamp) -> Result<Vec<Scaling>, OfflineError> {
        scalings(&Input::read(&self.filenames)?, self.environment.as_deref(), now)
    }
}

impl Listed {
    fn of(scaling: &Scaling, now: Timestamp, until: Timestamp) -> Self {
        let workloads = scaling.workloads.iter();
        Self {
            namespace: scaling.key.namespace.clone(),
            name: scaling.key.name.clone(),
            workloads: workloads
                .filter_map(|workload| Timetable::of(workload, now, until))
                .collect(),
        }
    }
}
