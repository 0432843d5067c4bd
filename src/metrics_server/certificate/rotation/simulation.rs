//! Replicas rotate at the same time, are killed at any moment, and interleave in every way that single reads
//! and writes of the API server allow. API servers learn of a `caBundle` late. No API server may ever meet a
//! certificate that it does not trust.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    tests::{NAME, made, seconds, start, times},
    *,
};

/// Every replica syncs at least this often, in seconds.
const LOOKS_WITHIN: u64 = 20;
/// Longest delay, in seconds, until an API server follows a change of an APIService; less than the overlap.
const SEEN_WITHIN: u64 = 35;

#[derive(Clone, Debug)]
enum Op {
    /// A replica makes its next read or write.
    Advance(usize),
    Kill(usize),
    /// The first replica stops for long, in the middle of what it is doing, or continues.
    Freeze(bool),
}

/// An object of the API server.
#[derive(Clone)]
struct Versioned<T> {
    content: T,
    version: u64,
}

impl<T> Versioned<T> {
    fn write(&mut self, content: T, over: u64) {
        if self.version == over {
            self.content = content;
            self.version += 1;
        }
    }
}

/// How far a replica is in its sync.
enum At {
    Start,
    SawApiService(Versioned<String>),
    /// The last field is the second in which the Secret was read.
    ReadSecret(Versioned<String>, Versioned<Shared>, u64),
    Decided(Versioned<String>, Versioned<Shared>),
}

struct Replica {
    at: At,
    settled: Settled<Shared>,
    serving: Option<Pair>,
    looked: u64,
    /// A frozen replica answers no request until it has synced again.
    frozen: bool,
    stale: bool,
}

impl Replica {
    fn new(now: u64) -> Self {
        Self {
            at: At::Start,
            settled: Settled::new(seconds(LOOKS_WITHIN)),
            serving: None,
            looked: now,
            frozen: false,
            stale: false,
        }
    }
}

struct World {
    now: u64,
    secret: Versioned<Shared>,
    api_service: Versioned<String>,
    /// Each `caBundle` with the second since which it is set.
    bundles: Vec<(u64, String)>,
    replicas: Vec<Replica>,
    rotations: u32,
    trusted: BTreeMap<(String, String), bool>,
}

impl World {
    fn new() -> Self {
        let shared = Shared::first(made(start(), times().validity()));
        let bundle = shared.trusted.clone();
        Self {
            now: 0,
            bundles: vec![(0, bundle.clone())],
            secret: Versioned {
                content: shared,
                version: 1,
            },
            api_service: Versioned {
                content: bundle,
                version: 1,
            },
            replicas: (0..3).map(|_| Replica::new(0)).collect(),
            rotations: 0,
            trusted: BTreeMap::new(),
        }
    }

    fn advance(&mut self, number: usize) {
        let time = start() + seconds(self.now);
        let replica = &mut self.replicas[number];
        replica.at = match std::mem::replace(&mut replica.at, At::Start) {
            At::Start => At::SawApiService(self.api_service.clone()),
            At::SawApiService(seen) => At::ReadSecret(seen, self.secret.clone(), self.now),
            At::ReadSecret(_, _, since) if self.now - since > LOOKS_WITHIN => At::Start,
            At::ReadSecret(seen, mut read, _) => {
                let shared = read.content.clone();
                let trusted = (seen.content == shared.trusted).then(|| shared.clone());
                let settled = replica.settled.observe(trusted, seconds(self.now));
                let next = match shared.step(NAME, &times(), time, settled) {
                    Step::Stay => None,
                    Step::Replace => panic!("came to its end at {}", self.now),
                    Step::Announce => Some(shared.announced(made(time, times().validity()), NAME, time)),
                    Step::Switch => Some(shared.switched()),
                    Step::Drop => Some(shared.without_unused(NAME, time)),
                };
                if let Some(next) = next {
                    if read.version != self.secret.version {
                        return;
                    }
                    self.rotations += u32::from(next.serving != read.content.serving);
                    self.secret.write(next, read.version);
                    read = self.secret.clone();
                }
                replica.serving = Some(read.content.serving.clone());
                replica.looked = self.now;
                replica.stale = false;
                At::Decided(seen, read)
            }
            At::Decided(seen, read) => {
                if seen.content != read.content.trusted {
                    self.api_service.write(read.content.trusted, seen.version);
                    self.bundles.push((self.now, self.api_service.content.clone()));
                }
                At::Start
            }
        };
    }

    /// Checks every served certificate against every `caBundle` that an API server may use now.
    fn check(&mut self) {
        let oldest = self.now.saturating_sub(SEEN_WITHIN);
        let in_force = self
            .bundles
            .partition_point(|(since, _)| *since <= oldest)
            .saturating_sub(1);
        for (_, bundle) in &self.bundles[in_force..] {
            for pair in self
                .replicas
                .iter()
                .filter(|replica| !replica.stale)
                .filter_map(|replica| replica.serving.as_ref())
            {
                let at = start() + seconds(self.now);
                let key = (bundle.clone(), pair.certificate.clone());
                let trusted = *self
                    .trusted
                    .entry(key)
                    .or_insert_with(|| issue::is_trusted(bundle, &pair.certificate, &pair.key, NAME, at));
                assert!(
                    trusted,
                    "a certificate that is not trusted is served at {}",
                    self.now
                );
            }
        }
    }

    fn run(&mut self, op: &Op, pause: u64) {
        self.now += pause;
        match *op {
            Op::Kill(number) => self.replicas[number] = Replica::new(self.now),
            Op::Freeze(frozen) => {
                self.replicas[0].frozen = frozen;
                self.replicas[0].stale = true;
            }
            Op::Advance(number) => {
                let late =
                    |replica: &Replica| !replica.frozen && self.now - replica.looked + 4 >= LOOKS_WITHIN;
                let number = self.replicas.iter().position(late).unwrap_or(number);
                if !self.replicas[number].frozen {
                    self.advance(number);
                }
            }
        }
        self.check();
    }
}

fn op() -> impl Strategy<Value = (Op, u64)> {
    let op = prop_oneof![
        200 => (0..3usize).prop_map(Op::Advance),
        1 => (0..3usize).prop_map(Op::Kill),
        2 => any::<bool>().prop_map(Op::Freeze),
    ];
    // Time stands still in 3 of 4 steps, so that several reads and writes happen within one second.
    (op, prop_oneof![3 => Just(0), 1 => Just(1)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn no_client_ever_meets_a_certificate_that_it_does_not_trust(ops in prop::collection::vec(op(), 4_000)) {
        let mut world = World::new();
        for (op, pause) in &ops {
            world.run(op, *pause);
        }
        prop_assert!(world.rotations >= 2, "{} rotations in {} s", world.rotations, world.now);
    }
}
