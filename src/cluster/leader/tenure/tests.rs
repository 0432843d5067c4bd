use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn timing() -> Timing {
    Timing::new(15 * SECOND, 10 * SECOND, 2 * SECOND).unwrap()
}

fn elector(identity: &str) -> Elector {
    Elector::new(identity.to_owned(), timing())
}

fn record(holder: &str, renewed: i64) -> Record {
    Record {
        holder: holder.to_owned(),
        lease_duration: 15 * SECOND,
        acquired: Timestamp::UNIX_EPOCH,
        renewed: Timestamp::from_second(renewed).unwrap(),
        transitions: 3,
    }
}

#[test]
fn a_missing_lease_is_created() {
    let attempt = elector("a").attempt(None, SECOND, Timestamp::UNIX_EPOCH);
    assert!(matches!(attempt, Attempt::Create(record) if record.holder == "a" && record.transitions == 0));
}

#[test]
fn a_live_holder_is_waited_for_however_old_its_timestamps_look() {
    let mut candidate = elector("a");
    let now = Timestamp::from_second(1_000_000).unwrap();
    let stale = record("b", 0);
    assert!(matches!(
        candidate.attempt(Some(stale.clone()), Duration::ZERO, now),
        Attempt::Wait { .. }
    ));
    assert!(matches!(
        candidate.attempt(Some(stale), 14 * SECOND, now),
        Attempt::Wait { .. }
    ));
}

#[test]
fn a_lease_is_taken_once_its_record_stood_still_for_the_lease_duration() {
    let mut candidate = elector("a");
    let wall = Timestamp::UNIX_EPOCH;
    candidate.attempt(Some(record("b", 1)), Duration::ZERO, wall);
    candidate.attempt(Some(record("b", 2)), 10 * SECOND, wall);
    assert!(matches!(
        candidate.attempt(Some(record("b", 2)), 24 * SECOND, wall),
        Attempt::Wait { .. }
    ));
    let attempt = candidate.attempt(Some(record("b", 2)), 25 * SECOND, wall);
    assert!(matches!(attempt, Attempt::Replace(taken) if taken.holder == "a" && taken.transitions == 4));
}

#[test]
fn a_released_lease_is_taken_at_once() {
    let attempt = elector("a").attempt(Some(record("", 1)), Duration::ZERO, Timestamp::UNIX_EPOCH);
    assert!(matches!(attempt, Attempt::Replace(taken) if taken.holder == "a"));
}

#[test]
fn a_renewal_keeps_the_time_of_acquisition() {
    let mut mine = record("a", 5);
    mine.acquired = Timestamp::from_second(4).unwrap();
    let attempt = elector("a").attempt(Some(mine), Duration::ZERO, Timestamp::from_second(9).unwrap());
    let Attempt::Replace(renewed) = attempt else {
        panic!("{attempt:?}")
    };
    assert_eq!(renewed.acquired, Timestamp::from_second(4).unwrap());
    assert_eq!(renewed.renewed, Timestamp::from_second(9).unwrap());
    assert_eq!(renewed.transitions, 3);
}

#[test]
fn a_write_starts_before_the_renew_deadline_and_ends_before_the_lease() {
    let tenure = Tenure::new(100 * SECOND, &timing());
    assert!(tenure.may_start(Duration::from_millis(109_999)));
    assert!(!tenure.may_start(110 * SECOND));
    assert!(tenure.end_by() > 110 * SECOND && tenure.end_by() < 115 * SECOND);
}

#[test]
fn durations_that_cannot_work_are_refused() {
    let timing = |lease, renew, retry| Timing::new(lease * SECOND, renew * SECOND, retry * SECOND);
    assert_eq!(timing(10, 10, 2), Err(TimingError::LeaseTooShort));
    assert_eq!(timing(15, 2, 2), Err(TimingError::DeadlineTooShort));
    assert_eq!(timing(15, 10, 0), Err(TimingError::DeadlineTooShort));
    let half = Duration::from_millis(500);
    assert_eq!(
        Timing::new(15 * SECOND + half, 10 * SECOND, SECOND),
        Err(TimingError::NotWholeSeconds)
    );
}

/// A candidate as the I/O loop drives it, with a clock of its own and at most one request under way.
struct Candidate {
    elector: Elector,
    /// Added to the true time: a monotonic clock may start at any value.
    offset: Duration,
    tenure: Option<Tenure>,
    read: Option<(Option<Record>, u64)>,
    in_flight: Option<(Record, u64, Duration)>,
}

/// One event of the simulation.
#[derive(Clone, Debug)]
enum Step {
    /// This much time passes for all candidates.
    Pass(u64),
    /// The candidate reads the Lease.
    Read(usize),
    /// The candidate decides on what it last read, however long ago, and sends a write.
    Send(usize),
    /// The candidate's write reaches the store; the answer comes back, or is lost.
    Arrive(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_u64..9_000).prop_map(Step::Pass),
        3 => (0_usize..2).prop_map(Step::Read),
        3 => (0_usize..2).prop_map(Step::Send),
        3 => (0_usize..2, prop::bool::weighted(0.8)).prop_map(|(who, answered)| Step::Arrive(who, answered)),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The steps contain arbitrary pauses, lost answers, writes that arrive late, and clocks that disagree.
    /// Two candidates must never have a write under way at the same moment.
    #[test]
    fn two_candidates_never_hold_the_lease_at_once(
        steps in steps(),
        offsets in prop::array::uniform2(0_u64..1_000_000),
        walls in prop::array::uniform2(-1_000_000_i64..1_000_000),
    ) {
        let mut now = Duration::ZERO;
        let mut store: (Option<Record>, u64) = (None, 0);
        let mut candidates: Vec<Candidate> = offsets.iter().enumerate().map(|(index, offset)| Candidate {
            elector: elector(&index.to_string()),
            offset: Duration::from_millis(*offset),
            tenure: None,
            read: None,
            in_flight: None,
        }).collect();
        for step in steps {
            match step {
                Step::Pass(millis) => now += Duration::from_millis(millis),
                Step::Read(who) => candidates[who].read = Some(store.clone()),
                Step::Send(who) => {
                    let candidate = &mut candidates[who];
                    let local = now + candidate.offset;
                    let wall = Timestamp::from_second(walls[who]).unwrap() + now;
                    if candidate.in_flight.is_none() && let Some((found, version)) = candidate.read.take() {
                        match candidate.elector.attempt(found, local, wall) {
                            Attempt::Create(record) | Attempt::Replace(record) => {
                                candidate.in_flight = Some((record, version, local));
                            }
                            Attempt::Wait { .. } => {}
                        }
                    }
                }
                Step::Arrive(who, answered) => {
                    let candidate = &mut candidates[who];
                    if let Some((record, version, sent)) = candidate.in_flight.take()
                        && store.1 == version
                    {
                        store = (Some(record), version + 1);
                        if answered {
                            candidate.tenure = Some(Tenure::new(sent, candidate.elector.timing()));
                        }
                    }
                }
            }
            let writing = candidates
                .iter()
                .filter(|candidate| candidate.tenure.is_some_and(|tenure| now + candidate.offset < tenure.end_by()))
                .count();
            prop_assert!(writing <= 1, "two writers at {now:?}");
        }
    }
}
