//! `vas import keda`: converts KEDA's ScaledObjects into VoiceAssistScalings.

use super::{
    ImportError,
    resources::{Files, Print},
};
use vas_core::metrics::promql::LabelName;
use vas_import::keda;

/// Turn KEDA's ScaledObjects into a VoiceAssistScaling for each namespace
///
/// Prometheus, cpu and memory triggers become metrics. A query has to stay in the namespace of its
/// ScaledObject, by a matcher in each of its selectors; one that reads more is listed and not narrowed. A
/// workload that scaled on a trigger which could not be taken is suspended. What is not taken is listed on
/// standard error with the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kubectl get scaledobjects -n voiceassist-production -o yaml | vas import keda -f -

Exit codes: 0 all converted, 1 some not, 2 a file cannot be used.")]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// Label that carries a series' namespace, as vas metrics-server has it
    #[arg(long, value_name = "LABEL", default_value = "namespace")]
    namespace_label: LabelName,
    #[command(flatten)]
    print: Print,
}

impl Args {
    /// Prints resources and report. Returns whether everything was converted.
    pub(super) fn import(&self) -> Result<bool, ImportError> {
        let assembled = keda::convert(
            &self.print.name,
            self.namespace_label.as_str(),
            &self.files.objects()?,
        )?;
        self.print.print(&assembled)
    }
}
