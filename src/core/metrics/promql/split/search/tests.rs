use proptest::prelude::*;

use super::*;

/// Seconds between polls.
const INTERVAL: u64 = 5;

/// A Prometheus for which a query fails if it has certain namespaces, or too many of them.
#[derive(Clone, Default)]
struct Prometheus {
    bad: BTreeSet<String>,
    /// Greatest number of namespaces in one query; more take too long.
    most: Option<usize>,
    /// All namespaces that exist, needed or not.
    all: BTreeSet<String>,
    is_down: bool,
}

/// A shape that is polled.
struct Shape {
    split: Split,
    needed: BTreeSet<String>,
    second: u64,
    queries: usize,
}

/// The outcome of one poll.
struct Polled {
    answered: BTreeSet<String>,
    queries: usize,
}

fn names(range: std::ops::Range<usize>) -> BTreeSet<String> {
    range.map(|n| format!("ns-{n:03}")).collect()
}

impl Prometheus {
    fn with(all: &BTreeSet<String>, bad: &[&str]) -> Self {
        Self {
            bad: bad.iter().map(|name| (*name).to_owned()).collect(),
            all: all.clone(),
            ..Self::default()
        }
    }

    fn answers(&self, part: &Part) -> bool {
        let asked = part.namespaces(&self.all);
        let is_slow = self.most.is_some_and(|most| asked.len() > most);
        !self.is_down && !is_slow && asked.is_disjoint(&self.bad)
    }
}

impl Shape {
    fn new(needed: BTreeSet<String>) -> Self {
        Self {
            split: Split::default(),
            needed,
            second: 0,
            queries: 0,
        }
    }

    /// Makes one poll, as the poller does.
    fn poll(&mut self, prometheus: &Prometheus) -> Polled {
        let now = Duration::from_secs(self.second);
        let mut open = self.split.parts(&self.needed, now);
        let mut answered = BTreeSet::new();
        let (mut failed, mut queries) = (Vec::new(), 0);
        while !open.is_empty() {
            let part = open.remove(0);
            queries += 1;
            if prometheus.answers(&part) {
                self.split.part_answered(&part, &self.needed);
                answered.extend(part.namespaces(&self.needed).clone());
            } else {
                if part == Part::All {
                    open.extend(self.split.all_failed(&self.needed, now));
                }
                let words = "no answer within 4s".into();
                failed.push(Failed { part, words });
            }
        }
        self.split
            .poll_ended(!answered.is_empty(), &failed, &self.needed, now);
        self.second += INTERVAL;
        self.queries += queries;
        Polled { answered, queries }
    }

    /// Polls until all namespaces but the bad ones are answered in one poll. Returns the number of polls.
    fn polls_until_answered(&mut self, prometheus: &Prometheus) -> usize {
        let good: BTreeSet<String> = self.needed.difference(&prometheus.bad).cloned().collect();
        (1..500)
            .find(|_| self.poll(prometheus).answered.is_superset(&good))
            .expect("they are answered at last")
    }

    /// The number of queries in each of the next minutes.
    fn by_minute(&mut self, prometheus: &Prometheus, minutes: usize) -> Vec<usize> {
        let each = |_| (0..60 / INTERVAL).map(|_| self.poll(prometheus).queries).sum();
        (0..minutes).map(each).collect()
    }

    /// Whether the next poll queries a part.
    fn asks(&self, part: &Part) -> bool {
        let now = Duration::from_secs(self.second);
        self.split.clone().parts(&self.needed, now).contains(part)
    }

    fn left_out(&self) -> Vec<&str> {
        let needed = self.needed.iter().map(String::as_str);
        needed
            .filter(|name| self.split.left_out(name).is_some())
            .collect()
    }
}

#[test]
fn queries_per_minute_with_one_bad_namespace_and_with_prometheus_down() {
    let needed = names(0..64);
    let healthy = Prometheus::with(&needed, &[]);
    let one_bad = Prometheus::with(&needed, &["ns-037"]);
    let down = Prometheus {
        is_down: true,
        ..healthy.clone()
    };
    let mut shape = Shape::new(needed.clone());
    assert_eq!(shape.by_minute(&healthy, 2), [12, 12]);
    // After the search, the 63 others share one query. The bad one is queried again, twice, after 10 minutes,
    // then after 20.
    assert_eq!(shape.by_minute(&one_bad, 4), [30, 33, 12, 12]);
    let later = shape.by_minute(&one_bad, 30);
    assert_eq!(
        (later.iter().sum::<usize>(), later.iter().max()),
        (12 * 30 + 4, Some(&14))
    );
    // The query for all namespaces is tried again after the time for which the shape stays split.
    assert_eq!(shape.by_minute(&healthy, 60)[59], 12);
    assert_eq!(shape.left_out(), Vec::<&str>::new());

    for mut shape in [Shape::new(needed.clone()), shape] {
        let per_minute = shape.by_minute(&down, 30);
        assert!(per_minute.iter().all(|queries| *queries <= 13), "{per_minute:?}");
        assert_eq!(shape.left_out(), Vec::<&str>::new(), "nobody is accused");
        assert_eq!(shape.polls_until_answered(&healthy), 2, "all at once again");
    }
}

#[test]
fn a_namespace_that_comes_and_is_bad_costs_those_before_it_three_polls() {
    let mut shape = Shape::new(names(0..40));
    shape.poll(&Prometheus::with(&names(0..40), &[]));
    shape.needed = names(0..60);
    // One bad namespace in each half of the new ones, between the others in the order of names.
    let bad = Prometheus::with(&shape.needed, &["ns-041", "ns-055"]);
    let answered: Vec<bool> = (0..4)
        .map(|_| shape.poll(&bad).answered.is_superset(&names(0..40)))
        .collect();
    assert_eq!(answered, [false, false, true, true]);
    shape.polls_until_answered(&bad);
    assert_eq!(shape.left_out(), ["ns-041", "ns-055"]);
}

#[test]
fn one_failure_alone_begins_no_search() {
    let needed = names(0..8);
    let (healthy, bad) = (
        Prometheus::with(&needed, &[]),
        Prometheus::with(&needed, &["ns-001"]),
    );
    let mut shape = Shape::new(needed);
    for prometheus in [&healthy, &bad, &healthy, &bad, &healthy] {
        assert_eq!(shape.poll(prometheus).queries, 1);
    }
    assert_eq!(
        shape.split.parts(&shape.needed, Duration::from_secs(100)),
        [Part::All]
    );
}

#[test]
fn one_failure_of_a_namespace_alone_leaves_it_not_out() {
    let needed = names(0..4);
    let (healthy, bad) = (
        Prometheus::with(&needed, &[]),
        Prometheus::with(&needed, &["ns-002"]),
    );
    let mut shape = Shape::new(needed);
    let alone = Part::Only(BTreeSet::from(["ns-002".to_owned()]));
    while !shape.asks(&alone) {
        shape.poll(&bad);
    }
    shape.poll(&bad);
    assert!(shape.asks(&alone), "it is asked in the next poll too");
    assert_eq!(shape.left_out(), Vec::<&str>::new());
    assert!(shape.poll(&healthy).answered.contains("ns-002"));
    // Earlier failures do not count when it fails again.
    shape.poll(&bad);
    assert_eq!(shape.left_out(), Vec::<&str>::new());
}

#[test]
fn one_failure_of_a_namespace_that_is_asked_again_keeps_it_out_no_longer() {
    let needed = names(0..4);
    let (healthy, bad) = (
        Prometheus::with(&needed, &[]),
        Prometheus::with(&needed, &["ns-002"]),
    );
    let mut shape = Shape::new(needed.clone());
    shape.polls_until_answered(&bad);
    assert_eq!(shape.left_out(), ["ns-002"]);
    let alone = Part::Only(BTreeSet::from(["ns-002".to_owned()]));
    while !shape.asks(&alone) {
        shape.poll(&bad);
    }
    shape.poll(&bad);
    assert_eq!(shape.poll(&healthy).answered, needed);
    assert_eq!(shape.left_out(), Vec::<&str>::new());
}

#[test]
fn what_fails_in_a_namespace_that_nobody_needs_ends_with_the_needed_ones_asked_alone() {
    let prometheus = Prometheus::with(&names(0..100), &["ns-099"]);
    let mut shape = Shape::new(names(0..8));
    assert_eq!(shape.polls_until_answered(&prometheus), 3);
    assert_eq!(shape.by_minute(&prometheus, 5), [12; 5]);
}

#[test]
fn a_query_that_takes_too_long_for_all_at_once_stays_in_parts_and_accuses_nobody() {
    let mut prometheus = Prometheus::with(&names(0..64), &[]);
    prometheus.most = Some(20);
    let mut shape = Shape::new(names(0..64));
    shape.polls_until_answered(&prometheus);
    assert_eq!(shape.left_out(), Vec::<&str>::new());
    assert_eq!(shape.by_minute(&prometheus, 3), [48; 3], "four parts of 16");
}

#[test]
fn a_namespace_that_is_the_only_one_is_not_left_out_but_asked_as_often_as_before() {
    let prometheus = Prometheus::with(&names(0..1), &["ns-000"]);
    let mut shape = Shape::new(names(0..1));
    assert_eq!(shape.by_minute(&prometheus, 3), [12; 3]);
    assert_eq!(shape.left_out(), Vec::<&str>::new());
}

#[test]
fn a_bad_namespace_is_asked_again_less_and_less_often_and_heard_once_it_is_good() {
    let needed = names(0..4);
    let bad = Prometheus::with(&needed, &["ns-002"]);
    let mut shape = Shape::new(needed.clone());
    shape.polls_until_answered(&bad);
    let mut asked = Vec::new();
    while shape.second < 20_000 {
        let second = shape.second;
        if shape.poll(&bad).queries > 1 {
            asked.push(second);
        }
    }
    let minutes: Vec<u64> = asked.windows(2).map(|pair| (pair[1] - pair[0]) / 60).collect();
    assert_eq!(
        minutes,
        [0, 20, 0, 40, 0, 80, 0, 120, 0],
        "each time in two polls in a row"
    );
    let healthy = Prometheus::with(&needed, &[]);
    let polls = (0u64..2000).find(|_| shape.poll(&healthy).answered == needed);
    assert!(polls.is_some_and(|polls| polls * INTERVAL <= 7200), "{polls:?}");
}

fn some(of: &BTreeSet<String>, picked: &[proptest::sample::Index]) -> BTreeSet<String> {
    let all: Vec<&String> = of.iter().collect();
    picked.iter().map(|index| (*index.get(&all)).clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_good_ones_are_answered_at_last_and_only_bad_ones_are_left_out(
        count in 2usize..60,
        bad in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        outage in 0u64..40,
        healthy_polls in 0usize..3,
    ) {
        let needed = names(0..count);
        let bad = some(&needed, &bad);
        prop_assume!(bad.len() < count);
        let healthy = Prometheus::with(&needed, &[]);
        let prometheus = Prometheus { bad: bad.clone(), ..healthy.clone() };
        let mut shape = Shape::new(needed);
        for _ in 0..healthy_polls {
            shape.poll(&healthy);
        }
        for _ in 0..outage {
            shape.poll(&Prometheus { is_down: true, ..prometheus.clone() });
        }
        shape.polls_until_answered(&prometheus);
        for _ in 0..3 * count {
            let polled = shape.poll(&prometheus);
            prop_assert!(polled.queries <= super::super::MAX_PARTS + 2);
        }
        prop_assert!(shape.left_out().iter().all(|name| bad.contains(*name)));
        // No good namespace waits because of an outage or of the tries after it.
        let good: BTreeSet<String> = shape.needed.difference(&bad).cloned().collect();
        let polled = shape.poll(&prometheus);
        prop_assert!(good.is_subset(&polled.answered));
    }
}
