use proptest::prelude::*;

use super::*;

const SERVICE: Duration = Duration::from_millis(20);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn line(rate: f64, limit: usize) -> Line<usize> {
    let mut line = Line::new(SERVICE, limit);
    line.set_rate(Duration::ZERO, rate);
    line
}

/// Plays until no request is left to answer. Returns the moment at which each was answered.
fn play(mut line: Line<usize>, arrivals: &[Duration]) -> Vec<Option<Duration>> {
    let mut answers = vec![None; arrivals.len()];
    for (number, arrival) in arrivals.iter().enumerate() {
        answer_until(&mut line, *arrival, &mut answers);
        let _ = line.arrive(*arrival, number);
    }
    answer_until(&mut line, Duration::MAX, &mut answers);
    answers
}

fn answer_until(line: &mut Line<usize>, end: Duration, answers: &mut [Option<Duration>]) {
    while let Some(due) = line.next_answer().filter(|due| *due <= end) {
        // The rounded moment may be a nanosecond early.
        let now = due + Duration::from_nanos(1);
        while let Some(number) = line.pop_answered(now) {
            answers[number] = Some(due);
        }
    }
}

fn close(found: Duration, expected: Duration) -> bool {
    found.abs_diff(expected) < Duration::from_micros(20)
}

#[test]
fn below_the_capacity_every_request_takes_the_service_time() {
    let arrivals: Vec<Duration> = (0..200).map(|number| millis(11 * number)).collect();
    for (arrival, answer) in arrivals.iter().zip(play(line(100.0, 10), &arrivals)) {
        assert!(
            close(answer.unwrap(), *arrival + SERVICE),
            "{arrival:?} {answer:?}"
        );
    }
}

#[test]
fn together_they_are_served_one_after_the_other() {
    let answers = play(line(100.0, 10), &[Duration::ZERO; 5]);
    for (number, answer) in (0..).zip(answers) {
        assert!(
            close(answer.unwrap(), SERVICE + millis(10 * number)),
            "{answer:?}"
        );
    }
}

#[test]
fn beyond_the_limit_requests_are_refused_and_use_no_slot() {
    let mut line = line(100.0, 3);
    let taken: Vec<bool> = (0..6)
        .map(|number| line.arrive(Duration::ZERO, number).is_ok())
        .collect();
    assert_eq!(
        taken,
        [true, true, true, true, false, false],
        "one begins, three wait"
    );
    assert_eq!(line.arrive(Duration::ZERO, 6), Err(Refusal::Full));
    assert_eq!(line.arrive(millis(11), 7), Ok(()), "one of the three has begun");
    assert_eq!(line.length(), 3);
    assert_eq!(line.counts().refused, 3);
}

#[test]
fn without_pods_requests_are_refused_and_those_in_line_wait_for_new_ones() {
    let mut line = line(100.0, 10);
    for number in 0..3 {
        line.arrive(Duration::ZERO, number).unwrap();
    }
    line.set_rate(millis(5), 0.0);
    assert_eq!(line.arrive(millis(6), 3), Err(Refusal::NoPods));
    assert_eq!(line.pop_answered(millis(1000)), Some(0), "it had begun");
    assert_eq!(line.next_answer(), None);
    line.set_rate(millis(1000), 50.0);
    let due = line.next_answer().unwrap();
    assert!(
        close(due, millis(1010) + SERVICE),
        "half a request was done: {due:?}"
    );
}

#[test]
fn more_capacity_cures_the_line_that_is_there() {
    let mut answers = [None; 11];
    let mut line = line(10.0, 20);
    for number in 0..11 {
        line.arrive(Duration::ZERO, number).unwrap();
    }
    line.set_rate(millis(500), 100.0);
    answer_until(&mut line, Duration::MAX, &mut answers);
    assert!(close(answers[5].unwrap(), millis(520)), "{answers:?}");
    assert!(
        close(answers[10].unwrap(), millis(570)),
        "five more at 100/s: {answers:?}"
    );
}

#[test]
fn a_stall_holds_answers_until_its_end_and_no_longer() {
    let mut line = line(1000.0, 10);
    line.stall(Duration::ZERO, millis(100));
    let arrivals: Vec<Duration> = (0..20).map(|number| millis(10 * number)).collect();
    for (arrival, answer) in arrivals.iter().zip(play(line, &arrivals)) {
        assert!(
            close(answer.unwrap(), (*arrival + SERVICE).max(millis(100))),
            "{arrival:?} {answer:?}"
        );
    }
}

#[test]
fn a_late_look_does_not_change_what_was_served_when() {
    let mut late = line(100.0, 10);
    for number in 0..5 {
        late.arrive(Duration::ZERO, number).unwrap();
    }
    late.advance(millis(35));
    assert_eq!(late.next_answer(), Some(SERVICE));
    assert_eq!(late.counts().begun, 4);
}

prop_compose! {
    fn any_arrivals()(gaps in prop::collection::vec(0_u64..40, 1..150)) -> Vec<Duration> {
        gaps.iter().scan(0, |at, gap| { *at += gap; Some(millis(*at)) }).collect()
    }
}

proptest! {
    #[test]
    fn it_is_the_recurrence_of_a_single_server(arrivals in any_arrivals(), rate in 20_u32..200) {
        let slot = Duration::from_secs(1) / rate;
        let mut free = Duration::ZERO;
        for (arrival, answer) in arrivals.iter().zip(play(line(f64::from(rate), usize::MAX), &arrivals)) {
            let begins = free.max(*arrival);
            free = begins + slot;
            prop_assert!(close(answer.unwrap(), begins + SERVICE), "{answer:?} {begins:?}");
        }
    }

    #[test]
    fn it_is_never_faster_than_its_capacity(arrivals in any_arrivals(), rate in 20_u32..200) {
        let answers: Vec<Duration> =
            play(line(f64::from(rate), 5), &arrivals).into_iter().flatten().collect();
        prop_assert!(answers.is_sorted());
        let slot = Duration::from_secs(1) / rate;
        for pair in answers.windows(2) {
            prop_assert!(pair[1] + Duration::from_micros(20) >= pair[0] + slot, "{pair:?}");
        }
    }

    #[test]
    fn every_request_is_answered_once_or_refused(
        arrivals in any_arrivals(), rates in prop::collection::vec(0_u32..200, 1..8), limit in 0_usize..20,
    ) {
        let mut line = line(50.0, limit);
        let mut answers = vec![None; arrivals.len()];
        for (number, arrival) in arrivals.iter().enumerate() {
            answer_until(&mut line, *arrival, &mut answers);
            if number % 10 == 0 {
                line.set_rate(*arrival, f64::from(rates[number / 10 % rates.len()]));
            }
            let _ = line.arrive(*arrival, number);
            prop_assert!(line.length() <= limit);
        }
        line.set_rate(*arrivals.last().unwrap(), 50.0);
        answer_until(&mut line, Duration::MAX, &mut answers);
        let counts = line.counts();
        let answered = answers.iter().flatten().count() as u64;
        prop_assert_eq!(counts.arrived, arrivals.len() as u64);
        prop_assert_eq!((counts.served, counts.begun), (answered, answered));
        prop_assert_eq!(counts.served + counts.refused, counts.arrived);
    }
}
