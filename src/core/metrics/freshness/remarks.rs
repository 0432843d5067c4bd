//! What Prometheus remarks on a query without calling the answer incomplete: the `infos` of its answers.
//!
//! A remark stays for a while after it was last made: it may come and go with the series of the moment, and a
//! condition must not.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::core::metrics::promql::Answer;

/// How long a remark stays that is not made again.
const STAYS: Duration = Duration::from_mins(15);
/// Remarks that are kept of one shape.
const KEPT: usize = 3;

/// The remarks on a shape, with our monotonic time at which each was last made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remarks(BTreeMap<Arc<str>, Duration>);

impl Remarks {
    /// Takes in a clean answer.
    pub fn observe(&mut self, answer: &Answer) {
        self.0
            .retain(|_, made| answer.asked.saturating_sub(*made) < STAYS);
        for remark in &answer.infos {
            if self.0.len() < KEPT || self.0.contains_key(remark) {
                self.0.insert(remark.clone(), answer.asked);
            }
        }
    }

    /// The remarks, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(second: u64, infos: &[&str]) -> Answer {
        Answer {
            asked: Duration::from_secs(second),
            infos: infos.iter().map(|info| (*info).into()).collect(),
            ..Answer::default()
        }
    }

    fn remarks(answers: &[Answer]) -> Vec<String> {
        let mut remarks = Remarks::default();
        for answer in answers {
            remarks.observe(answer);
        }
        remarks.iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_remark_that_comes_and_goes_stays() {
        assert_eq!(remarks(&[answer(0, &["b", "a"]), answer(899, &[])]), ["a", "b"]);
        assert_eq!(
            remarks(&[answer(0, &["a"]), answer(600, &["a"]), answer(1499, &[])]),
            ["a"]
        );
    }

    #[test]
    fn a_remark_that_is_not_made_any_more_is_forgotten() {
        assert!(remarks(&[answer(0, &["a"]), answer(900, &[])]).is_empty());
    }

    #[test]
    fn remarks_are_few_however_many_are_made() {
        let many: Vec<Answer> = (0..100).map(|n| answer(n, &[&n.to_string()])).collect();
        assert_eq!(remarks(&many), ["0", "1", "2"]);
    }
}
