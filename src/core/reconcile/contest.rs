//! Slows down writes that somebody else undoes again and again.
//!
//! The operator takes back a hand edit within seconds. If a second controller undoes that each time, the two
//! would write for ever, as fast as their watches are. So a child that must be written again although the
//! desired child has not changed waits longer each time: 2 s, 10 s, 20 s, 40 s and so on up to 10 min. It
//! does not matter who undoes the write: another field manager, a deletion, a webhook, or an operator of
//! another version.
//!
//! Example: against a controller that undoes every write at once, the operator writes at 0 s, 2 s, 12 s and
//! 32 s, and publishes one Event.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use super::{
    child::{Child, ChildRef},
    outcome::{Change, Overwritten},
    plan::{Application, Blocker, Plan},
};

/// Wait before the first repair. Until then the watch may not show the last write yet, and the child seems to
/// lack fields that it has.
const UNSEEN: Duration = Duration::from_secs(2);
/// Wait before the second repair.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// Longest wait before a repair.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A contest is over once the child was not written for this long. It must be longer than [`LONGEST_WAIT`].
const OVER: Duration = Duration::from_secs(900);
/// Shortest time between two Events about one contested child.
pub const EVENT_PERIOD: Duration = Duration::from_secs(600);
/// Number of writes of the same content from which on a child counts as contested.
const CONTESTED: u32 = 3;
/// Largest number of field managers that a message names.
const MANAGERS_SHOWN: usize = 3;

/// The children of one resource that were written within the last 15 minutes. These are few, so a list is
/// smaller than a map.
#[derive(Debug, Default)]
pub struct Contests(Vec<(ChildRef, Contest)>);

/// What is remembered of the writes of one child.
#[derive(Debug)]
struct Contest {
    /// Hash of the written content.
    desired: u64,
    /// Number of writes of this content in a row.
    writes: u32,
    /// Time of the last write, on the monotonic clock.
    last: Duration,
    /// Time of the last Event about a repair, on the monotonic clock.
    notified: Option<Duration>,
    /// The workload that the child serves.
    workload: Option<String>,
    /// The managers whose fields the last write took back.
    overwrote: Vec<Overwritten>,
}

impl Contest {
    /// Shortest time from the last write to the next: 2 s after the first write, then 10 s, 20 s, 40 s and so
    /// on.
    fn wait(&self) -> Duration {
        match self.writes.checked_sub(2) {
            None => UNSEEN,
            // The exponent is bounded, because a shift by 32 or more would overflow.
            Some(repairs) => FIRST_WAIT.saturating_mul(1 << repairs.min(16)).min(LONGEST_WAIT),
        }
    }

    fn is_over(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= OVER
    }

    fn next(&self) -> Duration {
        self.last.saturating_add(self.wait())
    }
}

impl Contests {
    /// Removes writes from the plan that are not due yet, and adds a blocker for every contested child.
    pub fn damp(&mut self, plan: &mut Plan, now: Duration) {
        self.0.retain(|(_, contest)| !contest.is_over(now));
        let waits = |application: &Application| {
            let reference = &application.child.reference;
            let contest = self.0.iter().find(|(known, _)| known == reference);
            // Only a repair waits. A child that should now be different is written at once.
            contest.is_some_and(|(_, contest)| {
                contest.desired == hash_of(&application.child) && now < contest.next()
            })
        };
        let (held, due): (Vec<_>, Vec<_>) = std::mem::take(&mut plan.apply).into_iter().partition(waits);
        plan.apply = due;
        let held: BTreeSet<ChildRef> = held
            .into_iter()
            .map(|application| application.child.reference)
            .collect();
        for (reference, contest) in &self.0 {
            if contest.writes >= CONTESTED || (contest.writes > 1 && held.contains(reference)) {
                let blocker = Blocker::contested(reference, &managers(&contest.overwrote));
                match &contest.workload {
                    None => plan.limits.push(blocker),
                    Some(name) => {
                        let workload = plan.workloads.iter_mut().find(|workload| workload.name == *name);
                        if let Some(workload) = workload {
                            workload.blockers.push(blocker);
                        }
                    }
                }
            }
        }
    }

    /// Remembers a write that the API server accepted. Returns whether an Event should be published for the
    /// write.
    pub fn wrote(&mut self, child: &Child, change: &Change, now: Duration) -> bool {
        let desired = hash_of(child);
        let place = self.0.iter().position(|(known, _)| *known == child.reference);
        let before = place.map(|place| self.0.swap_remove(place).1);
        // Another content starts a new count: the user changed the spec, which is no contest.
        let before = before.filter(|contest| contest.desired == desired && !contest.is_over(now));
        let overwrote = match change {
            Change::Updated { overwrote } => overwrote.clone(),
            Change::Created | Change::Deleted => Vec::new(),
        };
        let notified = before.as_ref().and_then(|contest| contest.notified);
        let notify = notified.is_none_or(|at| now.saturating_sub(at) >= EVENT_PERIOD);
        let is_repair = before.is_some() || !overwrote.is_empty();
        let contest = Contest {
            desired,
            writes: before.map_or(1, |contest| contest.writes.saturating_add(1)),
            last: now,
            notified: if notify && is_repair { Some(now) } else { notified },
            workload: child.workload.clone(),
            overwrote,
        };
        self.0.push((child.reference.clone(), contest));
        notify
    }

    /// Time from `now` until a child may be written again, or stops being contested; `None` if nothing waits.
    pub fn next(&self, now: Duration) -> Option<Duration> {
        let moment = |(_, contest): &(ChildRef, Contest)| match contest.next() {
            next if next > now => Some(next),
            // The status calls the child contested until then, so it must be computed once more.
            _ if contest.writes > 1 => Some(contest.last.saturating_add(OVER)),
            _ => None,
        };
        let moments = self.0.iter().filter_map(moment);
        moments.map(|moment| moment.saturating_sub(now)).min()
    }
}

fn hash_of(child: &Child) -> u64 {
    let mut hasher = DefaultHasher::new();
    child.body.to_string().hash(&mut hasher);
    hasher.finish()
}

/// The other managers that write the child, each with its fields; empty if no manager is known.
fn managers(overwrote: &[Overwritten]) -> String {
    let shown = overwrote.iter().take(MANAGERS_SHOWN);
    let shown: Vec<String> = shown
        .map(|one| format!("{} ({})", one.manager, one.fields.join(", ")))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        k8s::conditions::{Finding, Status},
        reconcile::{
            child::ChildKind,
            plan::{How, WorkloadPlan},
        },
    };

    fn child(max: i32) -> Child {
        Child {
            reference: ChildRef {
                kind: ChildKind::HorizontalPodAutoscaler,
                name: "a-w".to_owned(),
            },
            workload: Some("w".to_owned()),
            body: json!({"spec": {"maxReplicas": max}}),
        }
    }

    fn plan(max: i32) -> Plan {
        Plan {
            apply: vec![Application {
                child: child(max),
                how: How::Create,
            }],
            workloads: vec![WorkloadPlan {
                name: "w".to_owned(),
                target: Finding::new("ScaleTargetFound", Status::True, "Found", ""),
                blockers: Vec::new(),
            }],
            ..Plan::default()
        }
    }

    fn taken_back() -> Change {
        Change::Updated {
            overwrote: vec![Overwritten {
                manager: "argocd".to_owned(),
                fields: vec![".spec.maxReplicas".to_owned()],
            }],
        }
    }

    /// Reconciles a child four times a second whose every write is undone at once. Returns the seconds of the
    /// writes, and the number of Events.
    fn fight(seconds: u64) -> (Vec<u64>, usize) {
        let (mut contests, mut writes, mut events) = (Contests::default(), Vec::new(), 0);
        for quarter in 0..seconds * 4 {
            let now = Duration::from_millis(quarter * 250);
            let mut plan = plan(5);
            contests.damp(&mut plan, now);
            if let Some(application) = plan.apply.first() {
                events += usize::from(contests.wrote(&application.child, &taken_back(), now));
                writes.push(quarter / 4);
            }
        }
        (writes, events)
    }

    #[test]
    fn two_controllers_that_undo_each_other_write_ever_more_rarely() {
        assert_eq!(fight(40), (vec![0, 2, 12, 32], 1));
        let (day, events) = fight(86_400);
        assert_eq!(day[..8], [0, 2, 12, 32, 72, 152, 312, 632]);
        assert!(
            day.len() < 160 && events <= 145,
            "{} writes, {events} Events",
            day.len()
        );
    }

    #[test]
    fn a_contested_child_is_said_to_be_with_the_other_manager() {
        let mut contests = Contests::default();
        for second in 0..2 {
            contests.wrote(&child(5), &taken_back(), Duration::from_secs(second));
        }
        let mut held = plan(5);
        contests.damp(&mut held, Duration::from_secs(2));
        assert!(held.apply.is_empty());
        let blocker = &held.workloads[0].blockers[0];
        assert_eq!((blocker.status, blocker.reason), (Status::False, "Contested"));
        assert!(
            blocker.message.contains("argocd (.spec.maxReplicas)"),
            "{}",
            blocker.message
        );
        assert_eq!(
            contests.next(Duration::from_secs(2)),
            Some(Duration::from_secs(9))
        );
    }

    #[test]
    fn what_the_watch_does_not_show_yet_is_not_written_twice() {
        let mut contests = Contests::default();
        contests.wrote(&child(5), &Change::Created, Duration::ZERO);
        let mut unseen = plan(5);
        contests.damp(&mut unseen, Duration::from_secs(1));
        assert!(unseen.apply.is_empty() && unseen.workloads[0].blockers.is_empty());
        assert_eq!(
            contests.next(Duration::from_secs(1)),
            Some(Duration::from_secs(1))
        );
        let mut deleted = plan(5);
        contests.damp(&mut deleted, UNSEEN);
        assert_eq!(deleted.apply.len(), 1);
        assert_eq!(contests.next(UNSEEN), None);
    }

    #[test]
    fn what_should_be_otherwise_is_written_at_once() {
        let mut contests = Contests::default();
        for second in 0..5 {
            contests.wrote(&child(5), &taken_back(), Duration::from_secs(second));
        }
        let mut changed = plan(6);
        contests.damp(&mut changed, Duration::from_secs(5));
        assert_eq!(changed.apply.len(), 1);
    }

    #[test]
    fn a_quarter_of_an_hour_without_a_write_ends_a_contest() {
        let mut contests = Contests::default();
        for second in 0..5 {
            contests.wrote(&child(5), &taken_back(), Duration::from_secs(second));
        }
        // Nothing waits to be written, but the status names the contest until it is over.
        let quiet = Duration::from_secs(100);
        assert_eq!(
            contests.next(Duration::from_secs(4) + quiet),
            Some(OVER.saturating_sub(quiet))
        );
        let mut undone = plan(5);
        contests.damp(&mut undone, Duration::from_secs(4) + OVER);
        assert_eq!(undone.apply.len(), 1);
        assert!(undone.workloads[0].blockers.is_empty());
        assert_eq!(contests.next(Duration::from_secs(4) + OVER), None);
    }
}
