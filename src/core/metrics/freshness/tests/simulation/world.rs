//! Many pods, one or more Prometheus servers that are away at times, and a metrics server that polls and restarts.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::prometheus::{Millis, Pod, Stored, Stretch, seconds, within};
use crate::core::metrics::{
    freshness::{
        Failure, PollState, pods,
        tests::{NO_PODS, shape},
    },
    promql::{Answer, Grouping, History, Point, SampleTime, history_step},
};

/// A whole simulation.
#[derive(Clone, Debug)]
pub struct World {
    pub pods: Vec<Pod>,
    /// When each Prometheus is asked from, with the stretches during which it is away and how much later than
    /// the first one it scrapes. All of them scrape all the time.
    pub servers: Vec<(Millis, Vec<Stretch>, Millis)>,
    /// Whether each query goes to any of the servers, as through one address with many connections.
    pub is_balanced: bool,
    /// How much later than the first one a second target of each pod is scraped, with half of the pod's requests each.
    pub twin: Option<Millis>,
    /// While the metrics server is down; it forgets everything.
    pub down: Vec<Stretch>,
    /// How long samples take to become visible: at least, and at most.
    pub lag: (Millis, Millis),
    pub window: Millis,
    /// Time between polls.
    pub poll: Millis,
    /// Whether Prometheus tells what was before.
    pub tells: bool,
    /// How often it was asked that.
    pub histories: Cell<u32>,
    /// How many polls in a row have no time to ask about the past.
    pub owed: u32,
    pub from: Millis,
    pub until: Millis,
}

/// What the HPA is told of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    pub pod: &'a Pod,
    pub at: Millis,
    /// `None`: missing.
    pub value: Option<f64>,
    /// The mean increase over the window.
    pub truth: f64,
}

impl World {
    /// Pods `p0`, `p1`, ... that live all the time, scraped every `interval` at phases of their own.
    pub fn of(count: u32, interval: Millis, window: Millis) -> Self {
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

    /// Runs it, and gives what was told at each read of each living pod.
    pub fn run(&self) -> Vec<Served<'_>> {
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
                let asked = self.asked(now, round);
                let outcome = if within(&self.servers[asked[0]].1, now) {
                    Err(Failure::Prometheus("connection refused".into()))
                } else {
                    let stored = asked.map(|server| stored[server].as_slice());
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

    /// Which servers are asked for times, values and history.
    fn asked(&self, now: Millis, round: Millis) -> [usize; 3] {
        let count = Millis::try_from(self.servers.len()).unwrap();
        if self.is_balanced {
            // Any order will do that has no pattern.
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

    /// The times are asked for first, the values a little later.
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

    /// The answer to a subquery, whose moments are multiples of its step.
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

/// What a server has of the targets of one pod.
struct Targets(Vec<Stored>);

impl Targets {
    fn newest(&self, at: Millis, now: Millis) -> Option<Millis> {
        self.0.iter().filter_map(|stored| stored.newest(at, now)).max()
    }

    /// Each target has its part of the requests.
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
    /// What is wrong with it, if it is below this part of the truth, or above that part of the pod's own rate.
    pub fn judged(&self, least: f64, most: f64) -> Result<(), String> {
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

fn readings_of(readings: &BTreeMap<&str, crate::core::metrics::freshness::Reading>) -> BTreeMap<String, f64> {
    let number = |value: &str| match value.strip_suffix('m') {
        Some(milli) => milli.parse::<f64>().unwrap() / 1000.0,
        None => value.parse().unwrap(),
    };
    readings
        .iter()
        .map(|(pod, reading)| ((*pod).to_owned(), number(&reading.value)))
        .collect()
}

pub fn millis(millis: Millis) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap())
}
