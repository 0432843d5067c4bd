//! Remembers the last answer for each target of a kind that is not watched, and when to read the target
//! again.

use std::time::Duration;

use vas_api::v1alpha1::ScaleTargetRef;
use vas_core::{k8s::backoff, reconcile::observed::Target};

/// The last answer for a target that is read by GET requests.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    target: ScaleTargetRef,
    /// Whether the pod template was read too.
    with_template: bool,
    /// Hash of the generation of the resource and of the conditions of the HPA. Another hash makes the answer
    /// invalid.
    basis: u64,
    /// When to read the target again, on the monotonic clock.
    due: Duration,
    /// Number of reads in a row that brought no usable target.
    unusable_reads: u32,
    answer: Target,
}

/// What a reconcile wants to know of a target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) target: &'a ScaleTargetRef,
    pub(crate) with_template: bool,
    pub(crate) basis: u64,
    pub(crate) now: Duration,
}

impl Asked {
    /// The remembered answer, if it still holds for this question.
    pub(crate) fn answer(&self, question: &Question<'_>) -> Option<&Target> {
        let same = self.target == *question.target
            && self.basis == question.basis
            && (self.with_template || !question.with_template);
        (same && question.now < self.due).then_some(&self.answer)
    }

    /// Remembers an answer that follows the answer `before`. A usable target is read again after `period`.
    /// One that is not usable, such as one that does not exist yet, is read again sooner: with backoff, at
    /// the latest after `period`.
    pub(crate) fn after(
        before: Option<&Self>,
        question: &Question<'_>,
        answer: Target,
        period: Duration,
        jitter: f64,
    ) -> Self {
        let usable = answer.selector().is_some();
        let before =
            before.filter(|before| before.target == *question.target && before.basis == question.basis);
        let unusable_reads = if usable {
            0
        } else {
            before.map_or(1, |before| before.unusable_reads.saturating_add(1))
        };
        let wait = if usable {
            period
        } else {
            backoff::reread(unusable_reads, jitter).min(period)
        };
        Self {
            target: question.target.clone(),
            with_template: question.with_template,
            basis: question.basis,
            due: question.now.saturating_add(wait),
            unusable_reads,
            answer,
        }
    }

    /// When a reconcile is needed just to read this target again, on the monotonic clock. `None` for a usable
    /// target, which the next resync reads.
    pub(crate) fn retry_at(&self) -> Option<Duration> {
        (self.unusable_reads > 0).then_some(self.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1800);

    fn target() -> ScaleTargetRef {
        ScaleTargetRef {
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "Rollout".to_owned(),
            name: "w".to_owned(),
        }
    }

    fn question(target: &ScaleTargetRef, basis: u64, second: u64) -> Question<'_> {
        Question {
            target,
            with_template: false,
            basis,
            now: Duration::from_secs(second),
        }
    }

    fn found() -> Target {
        Target::Found {
            selector: Ok("app=w".parse().unwrap()),
            template: None,
        }
    }

    fn missing() -> Target {
        Target::Unusable {
            reason: "NotFound",
            message: String::new(),
        }
    }

    #[test]
    fn a_usable_target_is_asked_for_again_after_half_an_hour_or_when_something_changes() {
        let target = target();
        let asked = Asked::after(None, &question(&target, 1, 0), found(), PERIOD, 0.0);
        let holds = |basis, second| asked.answer(&question(&target, basis, second)).is_some();
        assert!(holds(1, 1799) && !holds(1, 1800));
        assert!(!holds(2, 1), "the resource or its HPA's conditions changed");
        let with_template = Question {
            with_template: true,
            ..question(&target, 1, 1)
        };
        assert!(asked.answer(&with_template).is_none());
        assert_eq!(asked.retry_at(), None);
    }

    #[test]
    fn a_missing_target_is_looked_for_later_each_time() {
        let target = target();
        let mut asked: Option<Asked> = None;
        let mut waits = Vec::new();
        for _ in 0..9 {
            let at = asked.as_ref().map_or(0, |asked| asked.due.as_secs());
            let next = Asked::after(asked.as_ref(), &question(&target, 1, at), missing(), PERIOD, 0.0);
            waits.push(next.due.as_secs() - at);
            asked = Some(next);
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        let edited = Asked::after(asked.as_ref(), &question(&target, 2, 0), missing(), PERIOD, 0.0);
        assert_eq!(edited.unusable_reads, 1, "an edit begins anew");
    }
}
