//! Gauges that lose a part of their series.

use proptest::prelude::*;

use super::*;
use crate::metrics::promql::{Item, shape as shape_of};
use vas_api::v1alpha1::Aggregation;

const EVERY: u64 = 5;
const MAX_AGE: u64 = 60;

/// Exporters, their pods and the metrics server, polled every [`EVERY`] seconds.
struct World {
    state: PollState,
    metric: PrometheusMetric,
    shape: Shape,
    /// Live pods of the namespace, with the number that identifies each.
    pods: BTreeMap<String, u32>,
    /// The scraped value of each exporter, by pod and instance.
    scraped: BTreeMap<(String, String), f64>,
    second: u64,
    /// The time on Prometheus' clock, in seconds.
    clock: f64,
}

type Told = Result<String, Missing>;

impl World {
    fn new(aggregation: Aggregation) -> Self {
        let metric = PrometheusMetric {
            series: Series::Gauge {
                gauge: "jobs".to_owned(),
                match_labels: BTreeMap::new(),
                aggregation,
            },
            ..metric(OnMissing::Zero)
        };
        let labels = shape(Grouping::Namespace, None).labels;
        Self {
            state: PollState::default(),
            shape: shape_of(&labels, "a", &metric).unwrap(),
            metric,
            pods: BTreeMap::new(),
            scraped: BTreeMap::new(),
            second: 0,
            clock: 1000.0,
        }
    }

    /// A world with pods that export ten jobs each.
    fn of_pods(aggregation: Aggregation, count: u32) -> Self {
        let mut world = Self::new(aggregation);
        for number in 0..count {
            world.start(number);
        }
        world.poll().unwrap();
        world
    }

    fn start(&mut self, number: u32) {
        self.pods.insert(format!("web-{number}"), number);
        self.export(&format!("web-{number}"), 10.0);
    }

    fn export(&mut self, pod: &str, value: f64) {
        self.scraped.insert((pod.to_owned(), format!("{pod}:80")), value);
    }

    fn vanish(&mut self, pod: &str) {
        self.scraped.retain(|(of, _), _| of != pod);
    }

    /// The answer of Prometheus at this moment.
    fn answer(&self) -> Answer {
        let items: Vec<Item> = self
            .scraped
            .iter()
            .map(|((pod, instance), value)| Item {
                labels: [("namespace", "a"), ("pod", pod), ("instance", instance)]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(name, value)| (name, value.into()))
                    .collect(),
                time: self.clock,
                value: *value,
            })
            .collect();
        let of_namespace = Item {
            labels: [("namespace", "a".into())].into_iter().collect(),
            time: self.clock,
            value: self.clock - 1.0,
        };
        let times: Vec<Item> = items.first().map(|_| of_namespace).into_iter().collect();
        Answer::join(&self.shape, &items, &times, Duration::from_secs(self.second)).unwrap()
    }

    fn record(&mut self, outcome: Result<Answer, Failure>) -> Told {
        let pods = |namespace: &str, pod: &str| {
            assert_eq!(namespace, "a");
            self.pods.get(pod).copied()
        };
        self.state.record(&self.shape, outcome, &pods);
        self.read()
    }

    fn read(&self) -> Told {
        let now = Duration::from_secs(self.second);
        object(Some(&self.state), "a", &self.metric, now).map(|reading| reading.value)
    }

    fn poll(&mut self) -> Told {
        self.second += EVERY;
        self.record(Ok(self.answer()))
    }

    fn notes(&self) -> Vec<String> {
        let now = Duration::from_secs(self.second);
        notes(Some(&self.state), "a", &self.metric, now)
    }

    /// How many seconds the present number is served before it changes.
    fn stands_for(&mut self) -> u64 {
        let (began, number) = (self.second, self.read());
        while self.poll() == number {
            assert!(self.second - began < 10 * MAX_AGE, "for ever");
        }
        self.second - began
    }

    /// Lets this many seconds pass while Prometheus is away.
    fn away(&mut self, seconds: u64) {
        for _ in 0..seconds / EVERY {
            self.second += EVERY;
            let _ = self.record(Err(Failure::Prometheus("connection refused".into())));
        }
    }
}

fn number(value: u32) -> String {
    value.to_string()
}

#[test]
fn a_sum_that_lacks_an_exporter_whose_pod_is_live_does_not_fall() {
    let mut world = World::of_pods(Aggregation::Sum, 3);
    assert_eq!(world.poll(), Ok(number(30)));
    world.vanish("web-1");
    assert_eq!(world.poll(), Ok(number(30)), "and never 20");
    world.export("web-0", 15.0);
    assert_eq!(world.poll(), Ok(number(30)), "the others have 25");
    world.export("web-0", 45.0);
    assert_eq!(world.poll(), Ok(number(55)), "the others alone have more");
    world.export("web-0", 10.0);
    assert_eq!(world.poll(), Ok(number(30)));
    world.export("web-1", 1.0);
    assert_eq!(world.poll(), Ok(number(21)), "whole again");
    assert!(world.notes().is_empty());
}

#[test]
fn the_greatest_of_several_does_not_fall_without_the_one_that_had_it() {
    let mut world = World::of_pods(Aggregation::Max, 2);
    world.export("web-1", 70.0);
    assert_eq!(world.poll(), Ok(number(70)));
    world.vanish("web-1");
    assert_eq!(world.poll(), Ok(number(70)));
}

#[test]
fn a_number_that_stands_is_dated_by_its_own_sample() {
    let mut world = World::of_pods(Aggregation::Sum, 2);
    let dated = |world: &World| {
        let now = Duration::from_secs(world.second);
        object(Some(&world.state), "a", &world.metric, now)
            .unwrap()
            .sampled
    };
    let whole = dated(&world);
    world.vanish("web-1");
    world.clock += 5.0;
    world.poll().unwrap();
    assert_eq!(dated(&world), whole);
    world.export("web-1", 1.0);
    world.poll().unwrap();
    assert!(dated(&world) > whole);
}

#[test]
fn work_that_moves_from_one_exporter_to_another_is_not_counted_twice() {
    let mut world = World::of_pods(Aggregation::Sum, 2);
    world.vanish("web-1");
    world.export("web-0", 500.0);
    world.stands_for();
    assert_eq!(world.poll(), Ok(number(500)));
    world.vanish("web-0");
    world.export("web-1", 500.0);
    for _ in 0..30 {
        assert_eq!(world.poll(), Ok(number(500)));
    }
}

#[test]
fn a_scale_down_from_ten_to_five_holds_nothing() {
    for (aggregation, whole, rest) in [(Aggregation::Sum, 100, 50), (Aggregation::Max, 10, 10)] {
        let mut world = World::of_pods(aggregation, 10);
        assert_eq!(world.poll(), Ok(number(whole)));
        for pod in (5..10).map(|number| format!("web-{number}")) {
            world.pods.remove(&pod);
        }
        assert_eq!(world.poll(), Ok(number(whole)), "terminating, and still scraped");
        for number in 5..10 {
            world.vanish(&format!("web-{number}"));
        }
        assert_eq!(world.poll(), Ok(number(rest)));
        assert!(world.notes().is_empty());
    }
}

#[test]
fn a_rolling_update_holds_nothing() {
    let mut world = World::of_pods(Aggregation::Sum, 3);
    for old in 0..3 {
        world.start(old + 3);
        assert_eq!(world.poll(), Ok(number(40)));
        world.pods.remove(&format!("web-{old}"));
        world.vanish(&format!("web-{old}"));
        assert_eq!(world.poll(), Ok(number(30)));
    }
    assert!(world.notes().is_empty());
}

#[test]
fn a_pod_that_was_replaced_under_its_name_is_not_missed() {
    let mut world = World::of_pods(Aggregation::Sum, 3);
    // The pod is replaced between two polls, and the new one is not scraped yet.
    world.pods.insert("web-2".to_owned(), 99);
    world.vanish("web-2");
    assert_eq!(world.poll(), Ok(number(20)));
    world.export("web-2", 10.0);
    assert_eq!(world.poll(), Ok(number(30)));
    world.vanish("web-2");
    assert_eq!(world.poll(), Ok(number(30)), "the new one is missed");
}

#[test]
fn a_pod_with_another_address_or_port_is_the_same_exporter() {
    let mut world = World::of_pods(Aggregation::Sum, 2);
    world.vanish("web-1");
    let moved = ("web-1".to_owned(), "10.0.0.9:80".to_owned());
    world.scraped.insert(moved, 11.0);
    assert_eq!(world.poll(), Ok(number(21)));
}

#[test]
fn an_exporter_removed_for_good_holds_for_max_age_and_then_a_note_says_so() {
    // A live pod that stops exporting, a pod of another namespace, and two exporters outside of the cluster.
    let exporters = [
        ("web-0", "web-0:80", "pod web-0"),
        ("foreign", "10.0.0.7:80", "pod foreign"),
        ("", "db:9100", "instance db:9100"),
        ("", "", "an exporter without pod and instance"),
    ];
    for (pod, instance, called) in exporters {
        let mut world = World::of_pods(Aggregation::Sum, 3);
        let series = (pod.to_owned(), instance.to_owned());
        world.scraped.insert(series.clone(), 10.0);
        world.poll().unwrap();
        world.scraped.remove(&series);
        assert_eq!(world.stands_for(), MAX_AGE, "{called}");
        let rest = 10 * world.scraped.len();
        assert_eq!(world.read(), Ok(rest.to_string()));
        assert_eq!(
            world.notes(),
            [format!(
                "it counts without the series of {called}, which vanished longer ago than maxAge 1m"
            )]
        );
        world.scraped.insert(series, 10.0);
        assert_eq!(world.poll(), Ok((rest + 10).to_string()));
        assert!(world.notes().is_empty(), "it is back");
    }
}

#[test]
fn a_pod_that_goes_while_it_is_missed_is_missed_no_more() {
    let mut world = World::of_pods(Aggregation::Sum, 3);
    world.vanish("web-2");
    assert_eq!(world.poll(), Ok(number(30)));
    world.pods.remove("web-2");
    assert_eq!(world.poll(), Ok(number(20)));
}

#[test]
fn several_that_vanish_one_after_the_other_are_each_held_for_max_age() {
    let mut world = World::of_pods(Aggregation::Sum, 4);
    world.vanish("web-3");
    for _ in 0..6 {
        assert_eq!(world.poll(), Ok(number(40)));
    }
    world.vanish("web-1");
    assert_eq!(world.stands_for(), MAX_AGE - 6 * EVERY);
    assert_eq!(world.read(), Ok(number(30)), "without web-3, with web-1");
    assert_eq!(world.stands_for(), 6 * EVERY);
    assert_eq!(world.read(), Ok(number(20)));
    assert_eq!(
        world.notes(),
        ["it counts without the series of pod web-1 and of others, which vanished longer ago than maxAge 1m"]
    );
}

#[test]
fn one_that_is_back_holds_nothing_though_another_is_still_missed() {
    let mut world = World::of_pods(Aggregation::Sum, 4);
    world.vanish("web-3");
    world.export("web-1", 200.0);
    assert_eq!(world.poll(), Ok(number(220)));
    world.vanish("web-1");
    assert_eq!(world.poll(), Ok(number(220)));
    world.export("web-1", 1.0);
    assert_eq!(world.poll(), Ok(number(40)), "the last number with web-3");
    world.stands_for();
    assert_eq!(world.read(), Ok(number(21)));
}

#[test]
fn while_prometheus_fetches_one_target_after_the_other_the_last_whole_number_stands_or_none_does() {
    for (away, told) in [(30, Some(Ok(number(30)))), (2 * MAX_AGE, None)] {
        let mut world = World::of_pods(Aggregation::Sum, 3);
        world.poll().unwrap();
        world.away(away);
        let all = std::mem::take(&mut world.scraped);
        assert!(
            matches!(world.poll(), Err(Missing::NotZeroYet(_))),
            "it forgot all"
        );
        for (count, (series, value)) in all.into_iter().enumerate() {
            world.scraped.insert(series, value);
            let read = world.poll();
            match &told {
                _ if count == 2 => assert_eq!(read, Ok(number(30)), "whole again"),
                Some(told) => assert_eq!(read, *told),
                None => assert!(matches!(read, Err(Missing::Vanished { .. })), "{read:?}"),
            }
        }
        assert!(world.notes().is_empty());
    }
}

#[test]
fn one_that_is_not_back_after_prometheus_was_away_is_told_for_max_age() {
    let mut world = World::of_pods(Aggregation::Sum, 3);
    world.away(2 * MAX_AGE);
    world.vanish("web-2");
    let missing = world.poll().unwrap_err();
    assert_eq!(
        missing.to_string(),
        "the series of pod web-2 vanished; without them the number counts once that has lasted for maxAge 1m"
    );
    assert_eq!(missing.cause(), missing.to_string());
    assert_eq!(world.stands_for(), MAX_AGE + EVERY);
    assert_eq!(world.read(), Ok(number(20)));
}

#[test]
fn an_answer_without_the_namespace_forgets_nobody() {
    let mut world = World::of_pods(Aggregation::Sum, 3);
    world.vanish("web-0");
    world.second += EVERY;
    let mut without = Answer {
        requested: Duration::from_secs(world.second),
        ..Answer::default()
    };
    let unanswered = Unanswered {
        why: "too large".into(),
        requested: None,
    };
    without.unanswered.insert("a".to_owned(), unanswered);
    assert_eq!(world.record(Ok(without)), Ok(number(30)), "as it was");
    assert_eq!(world.poll(), Ok(number(30)), "with the age that it has");
    assert_eq!(world.stands_for(), MAX_AGE - 2 * EVERY);
    assert!(matches!(world.read(), Err(Missing::Vanished { .. })));
    assert_eq!(
        world.stands_for(),
        3 * EVERY,
        "maxAge from the first answer without it"
    );
}

#[test]
fn two_of_which_one_or_the_other_fails_read_as_both() {
    let mut world = World::of_pods(Aggregation::Sum, 2);
    let all = world.scraped.clone();
    for round in 0..5 {
        world.scraped = all.clone();
        world.vanish(&format!("web-{}", round % 2));
        assert_eq!(world.poll(), Ok(number(20)), "{round}");
    }
}

proptest! {
    /// Exporters come and go, because they have nothing to report or because their scrapes fail.
    #[test]
    fn a_number_is_there_and_neither_low_nor_made_up(rounds in prop::collection::vec(1_u8..16, 1..60)) {
        let mut world = World::of_pods(Aggregation::Sum, 4);
        let all = world.scraped.clone();
        let mut sums = vec![40];
        for mask in rounds {
            let there = all.clone().into_iter().enumerate();
            world.scraped = there.filter(|(place, _)| mask & (1 << place) != 0).map(|(_, one)| one).collect();
            sums.push(10 * u32::try_from(world.scraped.len()).unwrap());
            let read: u32 = world.poll().unwrap().parse().unwrap();
            let recent = sums.iter().rev().take(usize::try_from(MAX_AGE / EVERY).unwrap());
            let greatest = *recent.max().unwrap();
            prop_assert!(read <= greatest, "{read} of {sums:?}");
            prop_assert!(read >= *sums.last().unwrap(), "{read} of {sums:?}");
            if greatest == 40 {
                prop_assert_eq!(read, 40, "a whole number is recent: {:?}", sums);
            }
        }
    }
}

#[test]
fn long_names_that_change_all_the_time_take_no_more_room() {
    let mut world = World::new(Aggregation::Sum);
    for round in 0..10 {
        let name = |number| format!("{round}-{number:03}-{}", "x".repeat(240));
        world.scraped = (0..1000)
            .map(|number| ((String::new(), name(number)), f64::from(1000 - round)))
            .collect();
        let _ = world.poll();
    }
    let (exporters, _) = world.state.vanished.remembered();
    assert!((200..300).contains(&exporters), "{exporters} of about 250 bytes");
}

#[test]
fn what_a_namespace_may_make_us_remember_is_bounded_and_goes_when_nobody_needs_it() {
    let mut world = World::new(Aggregation::Sum);
    for round in 0..100 {
        world.scraped = (0..1000)
            .map(|number| {
                (
                    (String::new(), format!("{round}-{number}")),
                    f64::from(1000 - round),
                )
            })
            .collect();
        let _ = world.poll();
    }
    assert_eq!(
        world.state.vanished.remembered(),
        (2000, 32),
        "the present, the latest missed, and some numbers"
    );
    let mut of_others = world.answer();
    of_others.exporters.clear();
    of_others.points.clear();
    of_others.scope = Some(["b".to_owned()].into());
    let _ = world.record(Ok(of_others));
    assert_eq!(world.state.vanished.remembered(), (0, 0));
}

#[test]
fn a_note_is_not_made_for_ever() {
    for (pod, instance) in [("web-1", "web-1:80"), ("", "db:9100")] {
        let mut world = World::of_pods(Aggregation::Sum, 2);
        let series = (pod.to_owned(), instance.to_owned());
        world.scraped.insert(series.clone(), 10.0);
        world.poll().unwrap();
        world.scraped.remove(&series);
        world.stands_for();
        assert_eq!(world.notes().len(), 1);
        world.second += 7200;
        world.poll().unwrap();
        assert!(world.notes().is_empty());
    }
}

#[test]
fn exporters_are_made_one_number_as_prometheus_would() {
    let of = |aggregation, values: &[f64]| {
        let mut world = World::new(aggregation);
        for (number, value) in values.iter().enumerate() {
            world.export(&format!("web-{number}"), *value);
        }
        world.poll()
    };
    let nan = f64::NAN;
    assert_eq!(of(Aggregation::Max, &[nan, 3.0, 2.0]), Ok(number(3)));
    assert_eq!(of(Aggregation::Max, &[2.0, nan]), Ok(number(2)));
    assert_eq!(of(Aggregation::Sum, &[-2.0, 5.0]), Ok(number(3)));
    for (aggregation, values) in [(Aggregation::Sum, [1.0, nan]), (Aggregation::Max, [nan, nan])] {
        assert!(matches!(of(aggregation, &values), Err(Missing::Unusable(_))));
    }
}
