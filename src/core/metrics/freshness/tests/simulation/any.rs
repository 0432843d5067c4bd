//! Random worlds: gaps, restarts, rollouts and lag in all combinations.

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use super::{
    LEAST, MOST, is_true, parts,
    prometheus::{Millis, Stretch, seconds},
    told,
    world::World,
};

/// Everything in a world happens after this moment.
const BEGIN: Millis = 1_050_000;
const END: Millis = 1_350_000;

fn stretches(count: usize, shortest: Millis, longest: Millis) -> impl Strategy<Value = Vec<Stretch>> {
    let one = (BEGIN..END, shortest..longest).prop_map(|(from, length)| (from, from + length));
    prop::collection::vec(one, 0..=count)
}

/// Windows of a minute and more, at least four intervals of the samples long.
fn rhythm() -> impl Strategy<Value = (Millis, Millis)> {
    let window = prop_oneof![Just(60_000), Just(90_000), Just(120_000), Just(300_000)];
    window.prop_flat_map(|window: Millis| (Just(window), 1000..=window / 4))
}

prop_compose! {
    fn any_world()(
        (window, interval) in rhythm(),
        rates in prop::collection::vec(10.0..1000.0_f64, 3..6),
        away in prop::collection::vec(stretches(2, 1000, 90_000), 6),
        born in prop::collection::vec(prop::option::of(BEGIN..END), 6),
        prometheus_away in stretches(2, 5000, 60_000),
        down in stretches(2, 1000, 40_000),
        lag in (0..20_000_i64, 0..3000_i64),
        poll in 4000..6000_i64,
    ) -> World {
        let mut world = World::of(u32::try_from(rates.len()).unwrap(), interval, window);
        for (n, pod) in world.pods.iter_mut().enumerate() {
            pod.rate = rates[n];
            pod.away.clone_from(&away[n]);
            if let Some(born) = born[n] {
                pod.lives.0 = born;
                pod.begins_at = 0.0;
                // Polls do not know of a sample that was marked stale before a poll saw it, so scrapes do not
                // fail shortly after the birth.
                pod.away.retain(|(from, to)| !(from - 40_000..*to).contains(&born));
            }
        }
        world.servers[0].1 = prometheus_away;
        world.down = down;
        world.lag = (lag.0, lag.0 + lag.1);
        world.poll = poll;
        world.until = END + 2 * window + 100_000;
        world
    }
}

/// A runner that makes the same worlds each time. In about one of a thousand random worlds, several gaps in
/// one window leave no two samples at their usual distance, and nothing can tell that from a longer distance.
fn runner(cases: u32) -> TestRunner {
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new_with_rng(config, seed)
}

#[test]
fn a_number_is_true_or_missing_and_in_the_end_there_is_one() {
    let outcome = runner(150).run(&any_world(), |world| {
        let served = is_true(&world);
        let settled = told(&served, END + world.window + 95_000, Millis::MAX);
        prop_assert!(settled > 0.6, "{settled}");
        Ok(())
    });
    assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
}

#[test]
fn a_counter_that_begins_anew_costs_one_interval_at_most() {
    let worlds = (rhythm(), prop::collection::vec(BEGIN..END, 0..3));
    let outcome = runner(60).run(&worlds, |((window, interval), resets)| {
        let mut world = World::of(2, interval, window);
        world.pods[0].resets.clone_from(&resets);
        let lost = seconds(interval) / seconds(window) * parts(resets.len());
        for one in world.run() {
            prop_assert_eq!(one.judged(LEAST - lost, MOST), Ok(()));
        }
        Ok(())
    });
    assert_eq!(outcome.map_err(|error| error.to_string()), Ok(()));
}
