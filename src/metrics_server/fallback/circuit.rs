//! Decides when reads go to an adapter that failed. Pure.
//!
//! The HPA controller has few workers. If each read of a dead adapter took the whole time limit, the HPAs that
//! read our own metrics would wait behind those reads. So after a failure reads are refused at once for a
//! pause, and then a single one tries again.
//!
//! A namespace chooses what its reads make the adapter do, for example a trigger that leads to a slow server.
//! So a read that takes too long pauses its own namespace only. The whole adapter is paused when it cannot be
//! reached, or when reads of [`NAMESPACES`] namespaces took too long and it answered nobody in between.
//!
//! ```text
//! t = 0 s   shop: no answer within 3 s       shop is paused until 10 s, bank goes on
//! t = 4 s   shop: refused at once            bank: answered
//! t = 11 s  shop: one read tries again; the others are refused until it is answered, or until 21 s
//! ```

use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long reads are refused after a failure.
const PAUSE: Duration = Duration::from_secs(10);
/// From how many namespaces on, whose reads took too long, the adapter itself is taken to be slow.
const NAMESPACES: usize = 3;
/// Most namespaces whose pause is remembered. A namespace beyond has none, so its reads cost their time.
const MAX_PAUSED: usize = 1024;

/// How a read that was sent ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The adapter answered, with a value or an error.
    Answered,
    /// There was no connection, or it broke.
    Unreachable(Arc<str>),
    /// No complete answer came in time.
    Late(Arc<str>),
}

/// Why reads are refused, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pause {
    why: Arc<str>,
    until: Duration,
}

/// The pauses of one adapter.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    whole: Option<Pause>,
    namespaces: BTreeMap<String, Pause>,
    /// Namespaces whose reads took too long since the adapter answered last.
    late_since_answer: Vec<String>,
}

impl Circuit {
    /// Whether a read of the namespace is sent now.
    ///
    /// # Errors
    /// The failure for which reads are paused.
    pub(super) fn enter(&mut self, namespace: &str, now: Duration) -> Result<(), Arc<str>> {
        let that_apply = [self.whole.as_ref(), self.namespaces.get(namespace)];
        if let Some(pause) = that_apply.into_iter().flatten().find(|pause| pause.until > now) {
            return Err(pause.why.clone());
        }
        // This read tries again; until its end the others are refused.
        let that_ended = [self.whole.as_mut(), self.namespaces.get_mut(namespace)];
        for pause in that_ended.into_iter().flatten() {
            pause.until = now.saturating_add(PAUSE);
        }
        Ok(())
    }

    /// Takes in how a read of the namespace ended. Returns whether the adapter as a whole was paused or began
    /// to answer again, which is worth a line in the log.
    pub(super) fn ended(&mut self, namespace: &str, ending: Ending, now: Duration) -> bool {
        let until = now.saturating_add(PAUSE);
        match ending {
            Ending::Answered => {
                self.namespaces.remove(namespace);
                self.late_since_answer.clear();
                self.whole.take().is_some()
            }
            Ending::Unreachable(why) => self.whole.replace(Pause { why, until }).is_none(),
            Ending::Late(why) => {
                self.pause_namespace(
                    namespace,
                    Pause {
                        why: why.clone(),
                        until,
                    },
                    now,
                );
                if !self.late_since_answer.iter().any(|late| late == namespace) {
                    self.late_since_answer.push(namespace.to_owned());
                }
                if self.late_since_answer.len() < NAMESPACES {
                    return false;
                }
                self.late_since_answer.truncate(NAMESPACES);
                self.whole.replace(Pause { why, until }).is_none()
            }
        }
    }

    fn pause_namespace(&mut self, namespace: &str, pause: Pause, now: Duration) {
        if self.namespaces.len() >= MAX_PAUSED {
            self.namespaces.retain(|_, pause| pause.until > now);
        }
        if self.namespaces.len() < MAX_PAUSED {
            self.namespaces.insert(namespace.to_owned(), pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn late() -> Ending {
        Ending::Late("no answer within 3 s".into())
    }

    fn unreachable() -> Ending {
        Ending::Unreachable("connection refused".into())
    }

    #[test]
    fn a_late_read_pauses_its_own_namespace_until_one_read_is_answered() {
        let mut circuit = Circuit::default();
        assert!(!circuit.ended("shop", late(), at(0)));
        assert_eq!(
            &*circuit.enter("shop", at(9)).unwrap_err(),
            "no answer within 3 s"
        );
        assert_eq!(circuit.enter("bank", at(9)), Ok(()));
        assert_eq!(circuit.enter("shop", at(10)), Ok(()), "one tries again");
        assert!(circuit.enter("shop", at(19)).is_err(), "the others wait for it");
        assert!(!circuit.ended("shop", Ending::Answered, at(19)));
        assert_eq!(circuit.enter("shop", at(19)), Ok(()));
        assert!(circuit.namespaces.is_empty());
    }

    #[test]
    fn an_adapter_without_a_connection_is_paused_for_all() {
        let mut circuit = Circuit::default();
        assert!(
            circuit.ended("shop", unreachable(), at(0)),
            "worth a line in the log"
        );
        assert!(!circuit.ended("bank", unreachable(), at(1)), "said already");
        assert!(circuit.enter("bank", at(10)).is_err());
        assert_eq!(circuit.enter("bank", at(11)), Ok(()));
        assert!(circuit.enter("shop", at(11)).is_err(), "a single read tries");
        assert!(
            circuit.ended("bank", Ending::Answered, at(12)),
            "it answers again"
        );
        assert_eq!(circuit.enter("shop", at(12)), Ok(()));
    }

    #[test]
    fn late_reads_of_many_namespaces_pause_the_adapter_unless_it_answered_in_between() {
        let mut circuit = Circuit::default();
        circuit.ended("a", late(), at(0));
        circuit.ended("b", late(), at(0));
        circuit.ended("c", Ending::Answered, at(1));
        assert!(!circuit.ended("d", late(), at(2)));
        assert_eq!(circuit.enter("c", at(3)), Ok(()));
        circuit.ended("d", late(), at(3));
        circuit.ended("a", late(), at(12));
        assert_eq!(circuit.enter("c", at(12)), Ok(()), "d counts once");
        assert!(circuit.ended("b", late(), at(13)));
        assert!(circuit.enter("c", at(14)).is_err());
    }

    #[test]
    fn made_up_namespaces_take_no_memory_without_end() {
        let mut circuit = Circuit::default();
        for number in 0..3000 {
            circuit.ended(&format!("ns{number}"), late(), at(0));
        }
        assert_eq!(circuit.namespaces.len(), MAX_PAUSED);
        assert_eq!(circuit.late_since_answer.len(), NAMESPACES);
        circuit.ended("later", late(), at(11));
        assert_eq!(
            circuit.namespaces.len(),
            1,
            "pauses that are over give their places back"
        );
    }
}
