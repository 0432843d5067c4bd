//! `vas import hpa`: converts HPAs, PodDisruptionBudgets and VPAs into VoiceAssistScalings.

use super::{
    ImportError, adapter,
    resources::{Files, Print},
};
use vas_import::hpa;

/// Turn HPAs, and the PDBs and VPAs beside them, into a VoiceAssistScaling for each namespace
///
/// Each HPA becomes a workload that renders to the same HPA. A VPA joins the workload with its target, a
/// PodDisruptionBudget the one whose target has its selector, for which the targets' manifests have to be
/// among the objects. Metrics that prometheus-adapter answers are taken from its rules if they are given. A
/// workload that scaled on something which could not be taken is suspended. What is not taken is listed on
/// standard error with the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kubectl get hpa,pdb,vpa,deployments,statefulsets -n voiceassist-production -o yaml | vas import hpa -f -

Exit codes: 0 all converted, 1 some not, 2 a file cannot be used.")]
pub(super) struct Args {
    #[command(flatten)]
    files: Files,
    /// prometheus-adapter's config.yaml, a file with its ConfigMap, or the values of its Helm chart
    #[arg(long, value_name = "FILE")]
    prometheus_adapter: Option<String>,
    #[command(flatten)]
    print: Print,
}

impl Args {
    /// Prints resources and report. Returns whether everything was converted.
    pub(super) fn import(&self) -> Result<bool, ImportError> {
        let rules = self
            .prometheus_adapter
            .as_deref()
            .map(adapter::sources)
            .transpose()?;
        let assembled = hpa::convert(&self.print.name, &self.files.objects()?, rules.as_ref())?;
        self.print.print(&assembled)
    }
}
