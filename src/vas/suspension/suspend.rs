//! `vas suspend`: stops scaling until a time or until `vas resume`.

use std::time::Duration;

use jiff::Timestamp;

use super::{Found, SuspensionArgs, SuspensionCommandError, usage};
use crate::{duration, exit::Ended};
use vas_core::reconcile::suspend::{Reason, Span, Suspension, annotation::CAPACITY_TEST, change};

/// Stop scaling of a resource, or of some of its workloads, for a while
///
/// The HPAs of the workloads follow no metric until the moment given, or until `vas resume`; VPAs only
/// recommend. Replicas can be set by hand meanwhile: kubectl scale. An HPA still moves a count outside of
/// minReplicas and maxReplicas to the nearer bound.
///
/// The suspension is the annotation scaling.voiceassist.io/suspend of the resource, which applying the file
/// again does not touch. `kubectl get vas` shows what is suspended and until when, and with -o wide by whom
/// and why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vas suspend voiceassist -n voiceassist-production --for 2h --reason 'incident 4711'
  vas suspend voiceassist --workload worker,api-gateway --until 2026-11-28T18:00:00Z
  vas suspend voiceassist --for 4h --overwrite          # longer than before
  vas suspend voiceassist --holder migration --for 30m  # beside what others hold
  kubectl annotate vas voiceassist scaling.voiceassist.io/suspend='workloads=worker until=2026-11-28T18:00:00Z reason=by hand'

Exit codes: 0 suspended; 1 refused, or no operator acted on it; 2 usage, such as a workload that does not exist.")]
pub(crate) struct Args {
    #[command(flatten)]
    which: SuspensionArgs,
    /// How long, as 30m or 2h. Default: until it is resumed
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse, conflicts_with = "until")]
    lasting: Option<Duration>,
    /// Until when, as 2026-11-28T18:00:00Z. Default: until it is resumed
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Why, for those who find it: at most 256 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Replace the suspension that the same holder has
    #[arg(long)]
    overwrite: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Ended {
        self.which.run(async |found| self.suspend(&found).await)
    }

    async fn suspend(&self, found: &Found<'_>) -> Result<(), SuspensionCommandError> {
        let now = found.clock.now();
        let holder = self.which.holder.as_ref();
        if holder == Some(&CAPACITY_TEST) {
            return Err(SuspensionCommandError::Usage(format!(
                "--holder {CAPACITY_TEST} is what vas test capacity holds by; choose another name"
            )));
        }
        let suspension = Suspension {
            workloads: self.which.workloads()?,
            until: self.span().end(now)?,
            reason: Reason::of(&self.reason).map_err(|error| usage("--reason", &error))?,
        };
        let suspended = found
            .change("suspended", |resource| {
                change::suspend(resource, holder, &suspension, self.overwrite, now).map(Some)
            })
            .await?;
        match suspended.left_out(&suspension.workloads) {
            Some(left_out) => Err(SuspensionCommandError::NotFrozen(left_out)),
            None => Ok(()),
        }
    }

    fn span(&self) -> Span {
        match (self.lasting, self.until) {
            (Some(length), _) => Span::For(length),
            (None, Some(until)) => Span::Until(until),
            (None, None) => Span::UntilResumed,
        }
    }
}
