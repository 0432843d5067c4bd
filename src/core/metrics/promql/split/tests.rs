use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// A Prometheus with a size of the answer for each namespace, and a limit on the size of one answer.
struct Sizes {
    namespaces: BTreeMap<String, usize>,
    limit: usize,
}

/// The outcome of one poll.
#[derive(Debug, Default, PartialEq)]
struct Polled {
    answered: Vec<String>,
    without: Vec<String>,
    queries: usize,
    too_large: usize,
}

impl Sizes {
    fn new(sizes: &[(&str, usize)], limit: usize) -> Self {
        let namespaces = sizes.iter().map(|(name, size)| ((*name).to_owned(), *size));
        Self {
            namespaces: namespaces.collect(),
            limit,
        }
    }

    fn all(&self) -> BTreeSet<String> {
        self.namespaces.keys().cloned().collect()
    }

    fn poll(&self, split: &mut Split, needed: &BTreeSet<String>, second: u64) -> Polled {
        let now = Duration::from_secs(second);
        let mut polled = Polled::default();
        let mut open = VecDeque::from(split.parts(needed, now));
        while let Some(part) = open.pop_front() {
            polled.queries += 1;
            let names = match &part {
                Part::All => self.all(),
                Part::Only(names) => names.clone(),
            };
            let size: usize = names.iter().filter_map(|name| self.namespaces.get(name)).sum();
            if size > self.limit {
                polled.too_large += 1;
                open.extend(split.part_too_large(&part, needed, now));
            } else {
                split.part_answered(&part, needed);
                polled.answered.extend(names.intersection(needed).cloned());
            }
        }
        polled.answered.sort();
        polled.without = needed
            .iter()
            .filter(|name| split.left_out(name).is_some())
            .cloned()
            .collect();
        polled
    }
}

fn needed(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn everything_is_asked_at_once_while_it_fits() {
    let sizes = Sizes::new(&[("a", 1), ("b", 1)], 2);
    let polled = sizes.poll(&mut Split::default(), &sizes.all(), 0);
    assert_eq!((polled.queries, polled.too_large), (1, 0));
}

#[test]
fn namespaces_that_nobody_needs_are_left_out_first() {
    let sizes = Sizes::new(&[("a", 1), ("b", 1), ("foreign", 100)], 2);
    let mut split = Split::default();
    let polled = sizes.poll(&mut split, &needed(&["a", "b"]), 0);
    assert_eq!((polled.queries, polled.too_large), (2, 1));
    assert_eq!(polled.answered, ["a", "b"]);
    let polled = sizes.poll(&mut split, &needed(&["a", "b"]), 5);
    assert_eq!((polled.queries, polled.too_large), (1, 0));
}

#[test]
fn parts_are_halved_until_they_fit_and_then_stay() {
    let sizes = Sizes::new(&[("a", 2), ("b", 1), ("c", 1), ("d", 1), ("e", 1)], 2);
    let mut split = Split::default();
    let polled = sizes.poll(&mut split, &sizes.all(), 0);
    assert_eq!(polled.answered, ["a", "b", "c", "d", "e"]);
    let later = sizes.poll(&mut split, &sizes.all(), 599);
    assert_eq!((later.queries, later.too_large), (4, 0));
    assert_eq!(later.answered, polled.answered);
}

#[test]
fn one_namespace_that_is_too_large_alone_harms_no_other_and_is_tried_again() {
    let mut sizes = Sizes::new(&[("a", 1), ("b", 9), ("c", 1)], 2);
    let mut split = Split::default();
    let all = sizes.all();
    let polled = sizes.poll(&mut split, &all, 0);
    assert_eq!(
        (polled.answered, polled.without),
        (vec!["a".to_owned(), "c".to_owned()], vec!["b".to_owned()])
    );
    let polled = sizes.poll(&mut split, &all, 5);
    assert_eq!((polled.too_large, polled.without), (0, vec!["b".to_owned()]));
    sizes.namespaces.insert("b".to_owned(), 1);
    let polled = sizes.poll(&mut split, &all, 60);
    assert_eq!((polled.answered.len(), polled.without), (3, vec![]));
}

#[test]
fn all_at_once_is_tried_again_less_and_less_often() {
    let mut sizes = Sizes::new(&[("a", 2), ("b", 2)], 2);
    let mut split = Split::default();
    let all = sizes.all();
    let tries: Vec<u64> = (0..20_000)
        .step_by(10)
        .filter(|second| sizes.poll(&mut split, &all, *second).too_large > 0)
        .collect();
    assert_eq!(tries, [0, 600, 1800, 4200, 9000, 16200]);
    sizes.limit = 4;
    sizes.poll(&mut split, &all, 23_400);
    assert_eq!(split.parts(&all, Duration::from_secs(23_410)), [Part::All]);
}

#[test]
fn namespaces_that_come_and_go_are_taken_into_the_parts() {
    let sizes = Sizes::new(&[("a", 2), ("b", 2), ("c", 1), ("d", 1)], 3);
    let mut split = Split::default();
    sizes.poll(&mut split, &needed(&["a", "b"]), 0);
    let polled = sizes.poll(&mut split, &needed(&["b", "c", "d"]), 5);
    assert_eq!(polled.answered, ["b", "c", "d"]);
    let polled = sizes.poll(&mut split, &needed(&["d"]), 10);
    assert_eq!((polled.answered, polled.queries), (vec!["d".to_owned()], 1));
}

#[test]
fn a_query_names_a_bounded_number_of_namespaces() {
    let names: Vec<String> = (0..2000).map(|n| format!("{n:0>40}")).collect();
    let namespaces: BTreeMap<String, usize> = names.iter().map(|name| (name.clone(), 1)).collect();
    let sizes = Sizes {
        namespaces,
        limit: 1999,
    };
    let mut split = Split::default();
    assert_eq!(sizes.poll(&mut split, &sizes.all(), 0).answered, names);
    for part in split.parts(&sizes.all(), Duration::from_secs(5)) {
        let Part::Only(part) = part else {
            panic!("{part:?}")
        };
        assert!(text(&part) <= MAX_TEXT + 64);
    }
}

proptest! {
    #[test]
    fn every_needed_namespace_is_answered_once_or_too_large_alone(
        sizes in proptest::collection::btree_map("[a-z]{1,3}", 0usize..12, 1..40),
        limit in 5usize..20,
        drop_every in 2usize..5,
    ) {
        let sizes = Sizes { namespaces: sizes, limit };
        let mut split = Split::default();
        let some: BTreeSet<String> = sizes.all().into_iter().enumerate()
            .filter(|(n, _)| n % drop_every > 0).map(|(_, name)| name).collect();
        for (second, needed) in [(0, sizes.all()), (5, some), (10, sizes.all()), (700, sizes.all())] {
            let polled = sizes.poll(&mut split, &needed, second);
            let mut expected: Vec<String> = polled.answered.iter().chain(&polled.without).cloned().collect();
            expected.sort();
            prop_assert_eq!(expected, needed.iter().cloned().collect::<Vec<_>>());
            prop_assert!(polled.without.iter().all(|name| sizes.namespaces[name] > limit), "{:?}", polled);
            prop_assert!(polled.queries <= 2 * MAX_PARTS + 1);
        }
    }

    #[test]
    fn there_are_never_more_than_so_many_parts(count in 60usize..400) {
        let namespaces = (0..count).map(|n| (format!("ns-{n}"), 2)).collect();
        let sizes = Sizes { namespaces, limit: 2 };
        let mut split = Split::default();
        for second in [0, 5, 61, 122] {
            let polled = sizes.poll(&mut split, &sizes.all(), second);
            prop_assert!(polled.queries <= 2 * MAX_PARTS + 1, "{}", polled.queries);
            prop_assert_eq!(polled.answered.len() + polled.without.len(), count);
        }
    }
}
