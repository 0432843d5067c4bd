//! Targets of kinds that are not watched: what was last read of each, and when to ask again.

use std::time::Duration;

use crate::{
    api::v1alpha1::ScaleTargetRef,
    core::{k8s::backoff, reconcile::observed::Target},
};

/// What was last read of a target by asking for it.
#[derive(Clone, Debug)]
pub(in crate::operator) struct Asked {
    target: ScaleTargetRef,
    /// Whether its pod template was asked for too.
    with_template: bool,
    /// What its answer depends on beside time: the resource's generation and the conditions of its HPA.
    basis: u64,
    /// When to ask again, on the monotonic clock.
    due: Duration,
    /// Looks in a row that brought nothing usable.
    looks: u32,
    answer: Target,
}

/// A question about a target.
#[derive(Clone, Copy, Debug)]
pub(in crate::operator) struct Question<'a> {
    pub(in crate::operator) target: &'a ScaleTargetRef,
    pub(in crate::operator) with_template: bool,
    pub(in crate::operator) basis: u64,
    pub(in crate::operator) now: Duration,
}

impl Asked {
    /// The answer, while it holds for this question.
    pub(in crate::operator) fn answer(&self, question: &Question<'_>) -> Option<&Target> {
        let same = self.target == *question.target
            && self.basis == question.basis
            && (self.with_template || !question.with_template);
        (same && question.now < self.due).then_some(&self.answer)
    }

    /// Takes in an answer that came after `before`. A usable one holds for `period`; one that is not is asked for
    /// sooner at first, and later each time.
    pub(in crate::operator) fn after(
        before: Option<&Self>,
        question: &Question<'_>,
        answer: Target,
        period: Duration,
        jitter: f64,
    ) -> Self {
        let usable = answer.selector().is_some();
        let before =
            before.filter(|before| before.target == *question.target && before.basis == question.basis);
        let looks = if usable {
            0
        } else {
            before.map_or(1, |before| before.looks.saturating_add(1))
        };
        let wait = if usable {
            period
        } else {
            backoff::look_again(looks, jitter).min(period)
        };
        Self {
            target: question.target.clone(),
            with_template: question.with_template,
            basis: question.basis,
            due: question.now.saturating_add(wait),
            looks,
            answer,
        }
    }

    /// When a look is to be made only for this target; `None` where it can be used.
    pub(in crate::operator) fn look_again(&self) -> Option<Duration> {
        (self.looks > 0).then_some(self.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::k8s::selector;

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
            selector: Ok(selector::parse("app=w").unwrap()),
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
        assert_eq!(asked.look_again(), None);
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
        assert_eq!(edited.looks, 1, "an edit begins anew");
    }
}
