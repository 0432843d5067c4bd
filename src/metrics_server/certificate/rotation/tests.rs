use super::*;
use crate::certificate::issue::{issue, names};

pub(super) const NAME: &str = "vas-metrics-server.vas-system.svc";
const NOTHING: Duration = Duration::ZERO;

pub(super) fn start() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn times() -> Times {
    Times::new(seconds(600), seconds(300), seconds(40)).unwrap()
}

pub(super) fn made(at: Timestamp, validity: Duration) -> Issued {
    issue(&names("vas-metrics-server", "vas-system"), at, validity).unwrap()
}

fn first() -> Shared {
    Shared::first(made(start(), times().validity()))
}

fn step(shared: &Shared, after: u64, settled: u64) -> Step {
    shared.step(NAME, &times(), start() + seconds(after), seconds(settled))
}

fn trusts(cas: &str, pair: &Pair, after: u64) -> bool {
    let at = start() + seconds(after);
    issue::is_trusted(cas, &pair.certificate, &pair.key, NAME, at)
}

fn announced(after: u64) -> (Shared, Shared) {
    let before = first();
    let now = start() + seconds(after);
    let next = before.announced(made(now, times().validity()), NAME, now);
    (before, next)
}

#[test]
fn a_certificate_is_left_alone_until_its_time_to_renew() {
    assert_eq!(step(&first(), 0, 10_000), Step::Stay);
    assert_eq!(step(&first(), 299, 10_000), Step::Stay);
    assert_eq!(step(&first(), 301, 0), Step::Announce);
}

#[test]
fn the_new_ca_is_trusted_before_its_certificate_is_served_and_the_old_one_until_nobody_serves_it() {
    let (before, announced) = announced(301);
    assert_eq!(announced.serving, before.serving);
    assert!(announced.trusted.starts_with(before.trusted.trim_end()));
    let next = announced.next.clone().unwrap();
    assert!(!trusts(&before.trusted, &next, 301));
    assert!(trusts(&announced.trusted, &next, 301));
    assert_eq!(step(&announced, 302, 39), Step::Stay);
    assert_eq!(step(&announced, 302, 40), Step::Switch);

    let switched = announced.switched();
    assert_eq!(switched.serving, next);
    assert_eq!(switched.trusted, announced.trusted);
    assert!(trusts(&switched.trusted, &before.serving, 342));
    assert_eq!(step(&switched, 342, 39), Step::Stay);
    assert_eq!(step(&switched, 342, 40), Step::Drop);

    let dropped = switched.without_unused(NAME, start() + seconds(342));
    assert!(trusts(&dropped.trusted, &next, 342));
    assert!(!trusts(&dropped.trusted, &before.serving, 342));
    assert_eq!(authorities(&dropped.trusted).count(), 1);
    assert_eq!(step(&dropped, 342, 10_000), Step::Stay);
}

#[test]
fn an_expired_certificate_makes_haste() {
    let (before, announced) = announced(301);
    assert_eq!(step(&before, 601, 0), Step::Replace);
    assert_eq!(step(&announced, 601, 0), Step::Switch);
    let of_another_name = before.step("other.svc", &times(), start(), NOTHING);
    assert_eq!(of_another_name, Step::Replace);
}

#[test]
fn the_ten_years_of_the_previous_version_are_rotated_like_any_other() {
    let before = Shared::first(made(start(), Duration::from_hours(24 * 3650)));
    assert_eq!(step(&before, 0, 0), Step::Announce);
    let now = start();
    let next = before.announced(made(now, times().validity()), NAME, now);
    assert_eq!(step(&next, 1, 40), Step::Switch);
}

#[test]
fn a_prepared_certificate_that_nobody_is_told_to_trust_is_prepared_again() {
    let (before, announced) = announced(301);
    let torn = Shared {
        trusted: before.trusted.clone(),
        ..announced
    };
    assert_eq!(step(&torn, 302, 10_000), Step::Announce);
    let now = start() + seconds(302);
    let again = torn.announced(made(now, times().validity()), NAME, now);
    assert_eq!(authorities(&again.trusted).count(), 2);
    assert_eq!(step(&again, 302, 40), Step::Switch);
}

#[test]
fn times_that_cannot_go_together_are_refused() {
    let times = |validity, renew, overlap| Times::new(seconds(validity), seconds(renew), seconds(overlap));
    assert!(times(60, 29, 10).is_ok());
    assert_eq!(times(60, 29, 9), Err(TimesError::TooShort));
    assert_eq!(times(60, 30, 10), Err(TimesError::NeverOld));
    assert_eq!(times(60, 20, 10), Err(TimesError::TooLate));
    assert_eq!(
        Times::new(Duration::MAX, Duration::MAX, Duration::MAX),
        Err(TimesError::NeverOld)
    );
}

#[test]
fn what_was_not_looked_at_for_long_has_not_settled() {
    let mut settled = Settled::new(seconds(20));
    assert_eq!(settled.observe(Some('a'), seconds(100)), NOTHING);
    assert_eq!(settled.observe(Some('a'), seconds(110)), seconds(10));
    assert_eq!(settled.observe(Some('a'), seconds(130)), seconds(30));
    assert_eq!(settled.observe(Some('a'), seconds(151)), NOTHING, "a gap");
    assert_eq!(settled.observe(Some('b'), seconds(152)), NOTHING, "a change");
    assert_eq!(settled.observe(Some('b'), seconds(153)), seconds(1));
    assert_eq!(settled.observe(None, seconds(154)), NOTHING);
    assert_eq!(settled.observe(Some('b'), seconds(155)), NOTHING);
}
