use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

const PLACES: usize = 5;
const HANG: u64 = 4000;

/// A simulation of shapes that are polled for some minutes. Each shape has one poll at a time, and the next
/// one begins 5 s after the last one began.
struct Simulation {
    /// Namespace of each shape, and the duration of its queries in milliseconds.
    shapes: Vec<(String, u64)>,
    turns: Turns<usize>,
    /// The times at which the polls of each shape ended, in milliseconds.
    polled: Vec<Vec<u64>>,
    /// Greatest number of places that were taken at the same time.
    most_at_once: usize,
}

impl Simulation {
    fn new(shapes: Vec<(String, u64)>) -> Self {
        let polled = vec![Vec::new(); shapes.len()];
        Self {
            shapes,
            turns: Turns::new(PLACES, Duration::from_millis(HANG)),
            polled,
            most_at_once: 0,
        }
    }

    fn run(mut self, until: u64) -> Self {
        #[derive(PartialEq, Eq, PartialOrd, Ord)]
        enum Event {
            Due,
            Ends,
        }
        let mut usage = vec![Usage::default(); self.shapes.len()];
        let mut patience = vec![Patience::NEW; self.shapes.len()];
        let mut began = vec![0; self.shapes.len()];
        let mut held = vec![(String::new(), 0); self.shapes.len()];
        let mut events: BinaryHeap<_> = (0..self.shapes.len())
            .map(|shape| std::cmp::Reverse((shape as u64 % 5000, Event::Due, shape)))
            .collect();
        while let Some(std::cmp::Reverse((millis, event, shape))) = events.pop() {
            if millis > until {
                break;
            }
            let now = Duration::from_millis(millis);
            match event {
                Event::Due => {
                    began[shape] = millis;
                    let namespace = self.shapes[shape].0.clone();
                    self.turns.wait([namespace.as_str()], usage[shape], shape, now);
                }
                Event::Ends => {
                    let (namespace, since) = held[shape].clone();
                    let time = Duration::from_millis(millis - since);
                    self.turns.leave(&namespace, Some(time), now);
                    usage[shape].add(time, now);
                    let is_over = millis - since == self.shapes[shape].1 || !patience[shape].ran_out();
                    if is_over {
                        patience[shape].answered();
                        self.polled[shape].push(millis);
                        let due = (began[shape] + 5000).max(millis + 1);
                        events.push(std::cmp::Reverse((due, Event::Due, shape)));
                    } else {
                        let waiting = [namespace.as_str()];
                        self.turns.wait(waiting, usage[shape], shape, now);
                    }
                }
            }
            while let Some(Turn { namespace, waiter }) = self.turns.next(|_| true, now) {
                held[waiter] = (namespace, millis);
                let time = patience[waiter].time(Duration::from_millis(HANG));
                let takes = self.shapes[waiter].1.min(time.as_millis().try_into().unwrap());
                events.push(std::cmp::Reverse((millis + takes, Event::Ends, waiter)));
            }
            assert!(
                self.turns.free() == 0 || self.turns.waiting.is_empty(),
                "a place is empty while somebody waits"
            );
            self.most_at_once = self.most_at_once.max(PLACES - self.turns.free());
        }
        self
    }

    /// The longest time between two polls of a shape, in milliseconds. The first poll counts from the start.
    fn longest_interval(&self, shape: usize, until: u64) -> u64 {
        let mut last = 0;
        let polls = self.polled[shape].iter().copied().chain([until]);
        polls
            .map(|poll| poll - std::mem::replace(&mut last, poll))
            .max()
            .unwrap_or(until)
    }
}

fn hostile(namespaces: usize, shapes: usize, millis: u64) -> Vec<(String, u64)> {
    (0..namespaces)
        .flat_map(|namespace| (0..shapes).map(move |_| (format!("hostile-{namespace}"), millis)))
        .collect()
}

#[test]
fn an_innocent_namespace_is_polled_within_twice_its_interval_beside_a_hundred_whose_queries_hang() {
    let mut shapes = hostile(100, 16, HANG);
    let first = shapes.len();
    shapes.extend((0..3).map(|_| ("innocent".to_owned(), 5)));
    let until = 600_000;
    let simulation = Simulation::new(shapes).run(until);
    for shape in first..first + 3 {
        let longest = simulation.longest_interval(shape, until);
        assert!(longest <= 10_000, "{longest} ms");
        assert!(
            simulation.polled[shape].len() >= 90,
            "{}",
            simulation.polled[shape].len()
        );
    }
    assert_eq!(simulation.most_at_once, PLACES);
}

#[test]
fn a_namespace_whose_few_queries_hang_still_has_its_other_ones_polled() {
    let mut shapes = hostile(1, 100, HANG);
    shapes.push(("hostile-0".to_owned(), 5));
    let simulation = Simulation::new(shapes).run(600_000);
    assert!(simulation.longest_interval(100, 600_000) <= 10_000);
}

#[test]
fn nobody_starves_beside_namespaces_that_are_answered_fast_but_ask_without_end() {
    let mut shapes: Vec<(String, u64)> = (0..100).map(|n| (format!("busy-{n}"), 500)).collect();
    shapes.push(("slow".to_owned(), HANG));
    // 100 polls of half a second each take ten seconds with five places.
    let simulation = Simulation::new(shapes).run(600_000);
    assert!(simulation.polled[100].len() >= 5, "{:?}", simulation.polled[100]);
}

#[test]
fn a_shared_query_has_the_turn_of_who_used_least() {
    let mut turns = Turns::new(1, Duration::from_secs(4));
    let now = Duration::from_secs(1);
    turns.wait(["hog"], Usage::default(), "hog", now);
    turns.next(|_| true, now).unwrap();
    turns.leave("hog", None, now);
    turns.wait(["other"], Usage::default(), "other", now);
    turns.next(|_| true, now).unwrap();
    turns.leave("other", Some(Duration::from_secs(1)), now);
    turns.wait(["other"], Usage::default(), "second", now);
    turns.wait(["hog", "innocent"], Usage::default(), "first", now);
    let turn = turns.next(|_| true, now).unwrap();
    assert_eq!((turn.namespace.as_str(), turn.waiter), ("innocent", "first"));
    assert_eq!(turns.next(|_| true, now), None, "there is one place");
}

#[test]
fn who_waits_no_more_is_passed_over_and_what_was_used_is_forgotten() {
    let mut turns = Turns::new(2, Duration::from_secs(4));
    for waiter in ["gone", "there"] {
        turns.wait(["a"], Usage::default(), waiter, Duration::ZERO);
    }
    let turn = turns.next(|waiter| *waiter != "gone", Duration::ZERO).unwrap();
    assert_eq!(turn.waiter, "there");
    turns.leave("a", Some(Duration::from_secs(4)), Duration::from_secs(4));
    assert_eq!((turns.free(), turns.used.len()), (2, 1));
    turns.wait(["b"], Usage::default(), "late", Duration::from_secs(600));
    turns.next(|_| true, Duration::from_secs(600)).unwrap();
    turns.leave("b", Some(Duration::ZERO), Duration::from_secs(600));
    assert!(turns.used.is_empty(), "{:?}", turns.used);
}

#[test]
fn a_shape_that_was_never_answered_is_given_more_and_more_time() {
    let (mut patience, longest) = (Patience::NEW, Duration::from_secs(4));
    let mut times = vec![patience.time(longest).as_millis()];
    while patience.ran_out() {
        times.push(patience.time(longest).as_millis());
    }
    assert_eq!(times, [250, 500, 1000, 2000, 4000]);
    let mut patience = Patience::NEW;
    patience.answered();
    assert_eq!((patience.time(longest), patience.ran_out()), (longest, false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn everybody_is_polled_again_and_again_and_no_place_is_given_twice_or_left_empty(
        speeds in proptest::collection::vec((0usize..6, 1u64..HANG), 1..40),
    ) {
        let shapes: Vec<(String, u64)> = speeds.iter().map(|(n, millis)| (format!("ns-{n}"), *millis)).collect();
        let simulation = Simulation::new(shapes).run(900_000);
        prop_assert!(simulation.most_at_once <= PLACES);
        prop_assert!(simulation.polled.iter().all(|polls| polls.len() > 1));
    }
}
