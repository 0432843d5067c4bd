//! `vas render`: prints the children that the operator would apply, without a cluster.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    exit::{Code, Ended},
    input::Input,
    output::{self, Format, OfflineError, OutputError},
    validate::scalings,
};
use vas_cluster::clock::{Clock as _, SystemClock};
use vas_core::reconcile::desired::offline;

/// Print the objects that the operator would apply, without a cluster
///
/// Owner references are left out: they name the UID of the stored resource. The selector of a
/// PodDisruptionBudget is taken from the scale target's manifest if that is among the files
/// (`kubectl kustomize DIR | vas render -f -`); else it is a placeholder that matches no pod, and a comment
/// says so.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File with YAML or JSON documents; - reads standard input. May be given several times
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filenames: Vec<String>,
    /// Render this environment instead of the one spec.environment names
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Namespace of resources that name none
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Render as of this moment, for schedules and suspensions that end: 2026-11-30T08:00:00+01:00. Default: now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

impl Args {
    /// Prints all children; prints nothing if any resource is invalid.
    pub(super) fn run(&self) -> Ended {
        let input = Input::read(&self.filenames).map_err(OfflineError::from)?;
        let now = self.at.unwrap_or_else(|| SystemClock::new().now());
        let scalings = scalings(&input, self.environment.as_deref(), now)?;
        let objects: Vec<&Value> = input.objects.iter().map(|object| &object.value).collect();
        let mut rendered = Vec::new();
        for mut scaling in scalings {
            if let (Some(namespace), true) = (&self.namespace, scaling.key.namespace.is_empty()) {
                scaling.key.namespace.clone_from(namespace);
            }
            rendered.extend(offline::children(&scaling, &objects, now).map_err(OutputError::from)?);
        }
        output::documents(self.output, &rendered)?;
        Ok(Code::Success)
    }
}
