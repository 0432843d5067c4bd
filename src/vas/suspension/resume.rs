//! `vas resume`: ends a suspension, so that workloads scale again.

use super::{Found, SuspensionArgs, SuspensionCommandError};
use crate::exit::Ended;
use vas_core::reconcile::suspend::change;

/// Let a resource, or some of its workloads, scale again
///
/// Takes back what `vas suspend` wrote: the annotation scaling.voiceassist.io/suspend, or the part of it that
/// concerns the workloads. Says what others still hold: another holder (--holder NAME), a capacity test (vas
/// test restore), or suspend: true in the spec, which is changed where it is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas resume voiceassist -n voiceassist-production
  vas resume voiceassist --workload worker       # the others stay suspended
  vas resume voiceassist --holder migration

Exit codes: 0 resumed, or nothing to resume; 1 refused, or no operator acted on it; 2 usage, such as a workload that
does not exist.")]
pub(crate) struct Args {
    #[command(flatten)]
    which: SuspensionArgs,
}

impl Args {
    pub(crate) fn run(&self) -> Ended {
        self.which.run(async |found| self.resume(&found).await)
    }

    async fn resume(&self, found: &Found<'_>) -> Result<(), SuspensionCommandError> {
        let workloads = self.which.workloads()?;
        let holder = self.which.holder.as_ref();
        found
            .change("resumed", |resource| change::resume(resource, holder, &workloads))
            .await
            .map(|_| ())
    }
}
