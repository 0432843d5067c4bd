//! Many pods, one or more Prometheus servers that are away at times, and a metrics server that polls and
//! restarts.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::prometheus::{Millis, Pod, Stored, Stretch, seconds, within};
use crate::metrics::{
    freshness::{
        Failure, PollState, pods,
        tests::{NO_PODS, shape},
    },
    promql::{Answer, Grouping, History, Point, SampleTime, history_step},
};

/// A whole simulation.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub pods: Vec<Pod>,
    /// The Prometheus servers: the moment from which each is queried, the times at which it is away, and how
    /// much later than the first server it scrapes. All of them scrape all the time.
    pub servers: Vec<(Millis, Vec<Stretch>, Millis)>,
    /// Whether each query may go to any of the servers, as behind one address with many connections.
    pub is_balanced: bool,
    /// How much later than the first one a second target of each pod is scraped, with half of the pod's
    /// requests each.
    pub twin: Option<Millis>,
    /// Times at which the metrics server is down. It forgets everything then.
    pub down: Vec<Stretch>,
    /// How long samples take to become visible: minimum and maximum.
    pub lag: (Millis, Millis),
    pub window: Millis,
    /// Time between polls.
    pub poll: Millis,
    /// Whether Prometheus answers queries for the history.
    pub tells: bool,
    /// Number of queries for the history so far.
    pub histories: Cell<u32>,
    /// Number of polls in a row that have no time to request a history.
    pub owed: u32,
    pub from: Millis,
    pub until: Millis,
}

/// What the HPA reads of a pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served<'a> {
    pub pod: &'a Pod,
    pub at: Millis,
    /// The value; `None` where it is missing.
    pub value: Option<f64>,
    /// The true mean increase over the window.
    pub truth: f64,
}

impl World {
    /// Pods `p0`, `p1`, ... that live all the time, scraped every `interval` at phases of their own.
    pub(super) fn of(count: u32, interval: Millis, window: Millis) -> Self {
        let pods = (0..count).map(|n| Pod {
            name: format!("p{n}"),
            rate: 100.0,
            lives: (0, 10_000_000),
            begins_at: 1e7,
            resets: Vec::new(),
            interval,
            phase: Millis::from(n) * 1237 % interval,
            away: Vec::new(),
        });
        Self {
            pods: pods.collect(),
            servers: vec![(0, Vec::new(), 0)],
            is_balanced: false,
            twin: None,
            down: Vec::new(),
            lag: (0, 0),
            window,
            poll: 5000,
            tells: true,
            histories: Cell::new(0),
            owed: 0,
            from: 1_000_000,
            until: 1_400_000,
        }
    }

    /// Runs the simulation. The result is what was read for each living pod in each round.
    pub(super) fn run(&self) -> Vec<Served<'_>> {
        let stored: Vec<Vec<Targets>> = self.servers.iter().map(|server| self.stored(server)).collect();
        let shape = shape(Grouping::Pod, Some(millis(self.window)));
        let metric = super::rate_of(millis(self.window));
        let names: Vec<&str> = self.pods.iter().map(|pod| pod.name.as_str()).collect();
        let mut state = PollState::default();
        let mut served = Vec::new();
        let mut now = self.from;
        for round in 1.. {
            if now > self.until {
                break;
            }
            if within(&self.down, now) {
                state = PollState::default();
            } else {
                let requested = self.requested(now, round);
                let outcome = if within(&self.servers[requested[0]].1, now) {
                    Err(Failure::Prometheus("connection refused".into()))
                } else {
                    let stored = requested.map(|server| stored[server].as_slice());
                    Ok(self.answer(stored, &state, now, 7919 * round % 300))
                };
                state.record(&shape, outcome, NO_PODS);
                let readings = pods(Some(&state), "a", &metric, millis(now), &names).unwrap_or_default();
                served.extend(self.served(&readings_of(&readings), now));
            }
            // Jitter of up to a tenth, both ways.
            now += self.poll + 7919 * round % (self.poll / 5) - self.poll / 10;
        }
        served
    }

    /// The servers to which the queries for times, values and history go.
    fn requested(&self, now: Millis, round: Millis) -> [usize; 3] {
        let count = Millis::try_from(self.servers.len()).unwrap();
        if self.is_balanced {
            // Pseudo-random choices without a pattern.
            return [5381, 7919, 6007].map(|prime| {
                let mixed = (round + 3) * prime % 8191 * prime % 8191;
                usize::try_from(mixed / 8 % count).unwrap()
            });
        }
        [self.servers.iter().rposition(|(from, ..)| *from <= now).unwrap(); 3]
    }

    fn stored(&self, (_, away, later): &(Millis, Vec<Stretch>, Millis)) -> Vec<Targets> {
        let (least, most) = self.lag;
        let lag = |at: Millis| least + at / 100 * 31 % (most - least + 1);
        let scraped = |pod: &Pod, later: Millis| {
            let phase = pod.phase + later;
            Pod { phase, ..pod.clone() }.scraped(away, lag)
        };
        let targets = |pod: &Pod| {
            let twin = self.twin.map(|twin| scraped(pod, later + twin));
            Targets([Some(scraped(pod, *later)), twin].into_iter().flatten().collect())
        };
        self.pods.iter().map(targets).collect()
    }

    /// The answer of a poll, which queries the times first and the values a little later.
    fn answer(
        &self,
        [stored, of_values, of_history]: [&[Targets]; 3],
        state: &PollState,
        now: Millis,
        later: Millis,
    ) -> Answer {
        let pods = self.pods.iter().zip(stored.iter().zip(of_values));
        let points = pods.filter_map(|(pod, (stored, of_values))| {
            let sampled = stored.newest(now, now).map(|at| SampleTime {
                at: Timestamp::from_millisecond(at).unwrap(),
                age: millis(now - at),
            });
            let value = of_values.rate(self.window, now + later);
            let known = sampled.is_some() || value.is_some();
            known.then_some((
                "a",
                pod.name.as_str(),
                Point {
                    value,
                    sampled,
                    uncovered: None,
                },
            ))
        });
        let mut answer = Answer::of(millis(now), &points.collect::<Vec<_>>());
        answer.values_later = millis(later);
        let shape = shape(Grouping::Pod, Some(millis(self.window)));
        for namespace in state.in_doubt(&shape, &answer, &BTreeSet::from(["a".to_owned()])) {
            self.histories.set(self.histories.get() + 1);
            if !self.histories.get().is_multiple_of(self.owed + 1) {
                answer.owed.insert(namespace);
                continue;
            }
            answer
                .histories
                .insert(namespace, self.tells.then(|| self.history(of_history, now)));
        }
        answer
    }

    /// The history, as Prometheus answers a subquery: its moments are multiples of the step.
    fn history(&self, stored: &[Targets], now: Millis) -> History {
        let step = Millis::try_from(history_step(millis(self.window)).as_millis()).unwrap();
        let from = (now - self.window - 2 * step) / step + 1;
        let pods = self.pods.iter().zip(stored).filter_map(|(pod, stored)| {
            let moments = (from..=now / step).map(|moment| moment * step);
            let points: Vec<_> = moments
                .filter_map(|at| Some((at, stored.newest(at, now)?)))
                .collect();
            (!points.is_empty()).then(|| (pod.name.as_str().into(), points))
        });
        History(pods.collect())
    }

    fn served(&self, readings: &BTreeMap<String, f64>, now: Millis) -> Vec<Served<'_>> {
        let living = self
            .pods
            .iter()
            .filter(|pod| (pod.lives.0..pod.lives.1).contains(&now));
        let told = |pod: &'_ Pod| readings.get(&pod.name).copied();
        living
            .map(|pod| Served {
                pod,
                at: now,
                value: told(pod),
                truth: pod.truth((now - self.window, now)),
            })
            .collect()
    }
}

/// The samples that a server stored of the targets of one pod.
struct Targets(Vec<Stored>);

impl Targets {
    fn newest(&self, at: Millis, now: Millis) -> Option<Millis> {
        self.0.iter().filter_map(|stored| stored.newest(at, now)).max()
    }

    /// The sum of the rates of the targets, each of which has its share of the requests.
    fn rate(&self, window: Millis, at: Millis) -> Option<f64> {
        let rates: Vec<f64> = self
            .0
            .iter()
            .filter_map(|stored| stored.rate(window, at))
            .collect();
        let count = u32::try_from(self.0.len()).unwrap();
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / f64::from(count))
    }
}

impl Served<'_> {
    /// An error if the value is below `least` times the truth, or above `most` times the pod's own rate.
    pub(super) fn judged(&self, least: f64, most: f64) -> Result<(), String> {
        let Some(value) = self.value else {
            return Ok(());
        };
        if value < least * self.truth || value > most * self.pod.rate {
            return Err(format!(
                "{} at {:.1}s: {value:.1} where the mean is {:.1}",
                self.pod.name,
                seconds(self.at),
                self.truth
            ));
        }
        Ok(())
    }
}

fn readings_of(readings: &BTreeMap<&str, crate::metrics::freshness::Reading>) -> BTreeMap<String, f64> {
    let number = |value: &str| match value.strip_suffix('m') {
        Some(milli) => milli.parse::<f64>().unwrap() / 1000.0,
        None => value.parse().unwrap(),
    };
    readings
        .iter()
        .map(|(pod, reading)| ((*pod).to_owned(), number(&reading.value)))
        .collect()
}

pub(super) fn millis(millis: Millis) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap())
}
