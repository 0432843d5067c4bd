//! A simulation of rates over gaps, restarts and rollouts: as Prometheus computes them and as the HPA reads
//! them.

mod any;
mod prometheus;
mod world;

use self::{
    prometheus::{Millis, Pod, seconds},
    world::{Served, World},
};
use super::*;

/// No number may be served below this part of the true mean over its window.
const LEAST: f64 = 0.9;
/// No number may be served above this multiple of the pod's own rate.
const MOST: f64 = 1.6;

fn rate_of(window: Duration) -> PrometheusMetric {
    PrometheusMetric {
        series: Series::RequestRate {
            counter: "requests_total".to_owned(),
            match_labels: BTreeMap::new(),
            match_expressions: Vec::new(),
            window,
        },
        max_age: Duration::from_mins(2),
        ..metric(OnMissing::Hold)
    }
}

/// Runs a world and checks that every number is right or missing.
fn is_true(world: &World) -> Vec<Served<'_>> {
    let served = world.run();
    let wrong: Vec<String> = served
        .iter()
        .filter_map(|one| one.judged(LEAST, MOST).err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}: {:#?}",
        wrong.len(),
        served.len(),
        &wrong[..wrong.len().min(8)]
    );
    served
}

/// The share (0 to 1) of the reads between two moments that had a value.
fn told(served: &[Served<'_>], from: Millis, to: Millis) -> f64 {
    let reads: Vec<_> = served.iter().filter(|one| (from..to).contains(&one.at)).collect();
    parts(reads.iter().filter(|one| one.value.is_some()).count()) / parts(reads.len())
}

fn parts(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[test]
fn a_pod_among_others_that_was_away_is_right_or_missing() {
    for (interval, window, away) in [
        (5000, 60_000, 45_000),
        (15_000, 60_000, 45_000),
        (1000, 30_000, 20_000),
    ] {
        let mut world = World::of(8, interval, window);
        world.pods[3].away = vec![(1_100_000, 1_100_000 + away)];
        let served = is_true(&world);
        assert!(told(&served, 1_060_000, 1_100_000) > 0.99, "before");
        assert!(
            told(&served, 1_100_000 + away + window, 1_400_000) > 0.99,
            "afterwards"
        );
    }
}

#[test]
fn a_restart_of_the_metrics_server_in_a_gap_forgets_no_gap() {
    for (interval, window) in [
        (5000, 60_000),
        (15_000, 60_000),
        (1000, 30_000),
        (15_000, 300_000),
    ] {
        let mut world = World::of(3, interval, window);
        world.servers[0].1 = vec![(1_100_000, 1_130_000)];
        world.down = vec![(1_110_000, 1_120_000)];
        is_true(&world);
        // A restart after the gap, while the window still reaches into it.
        world.down = vec![(1_131_000, 1_134_000)];
        is_true(&world);
    }
}

#[test]
fn where_prometheus_does_not_tell_of_the_past_a_number_waits_for_a_window() {
    let mut world = World::of(3, 5000, 60_000);
    world.tells = false;
    world.servers[0].1 = vec![(1_100_000, 1_130_000)];
    world.down = vec![(1_110_000, 1_120_000)];
    let served = is_true(&world);
    assert!(told(&served, 1_000_000, 1_045_000) < 0.01);
    assert!(told(&served, 1_062_000, 1_100_000) > 0.99);
    assert!(told(&served, 1_195_000, 1_400_000) > 0.99);
}

#[test]
fn the_past_is_asked_for_at_the_start_and_after_failures_and_never_between() {
    let mut world = World::of(3, 15_000, 60_000);
    world.pods[1].away = vec![(1_150_000, 1_190_000)];
    world.pods[2].lives.0 = 1_200_000;
    world.run();
    assert_eq!(world.histories.replace(0), 1);
    world.servers[0].1 = vec![(1_250_000, 1_280_000)];
    world.run();
    assert_eq!(world.histories.get(), 2);
}

#[test]
fn a_past_that_a_poll_has_no_time_to_ask_about_is_asked_about_by_the_next() {
    let mut world = World::of(3, 5000, 60_000);
    world.owed = 3;
    world.servers[0].1 = vec![(1_100_000, 1_130_000)];
    world.down = vec![(1_110_000, 1_120_000)];
    let served = is_true(&world);
    // Three polls of 5 s lie between the first poll and the one that asks.
    assert!(told(&served, 1_000_000, 1_014_000) < 0.01);
    assert!(told(&served, 1_016_000, 1_100_000) > 0.99);
    assert!(told(&served, 1_195_000, 1_400_000) > 0.99);
    assert_eq!(world.histories.get(), 2 * 4, "none is owed for ever");
}

#[test]
fn another_prometheus_of_a_pair_that_has_a_gap_of_its_own_is_found_out() {
    for (interval, window) in [(15_000, 60_000), (30_000, 120_000)] {
        let mut world = World::of(3, interval, window);
        world.servers = vec![
            (0, Vec::new(), 0),
            (1_130_000, vec![(1_100_000, 1_130_000)], interval / 3),
        ];
        is_true(&world);
    }
}

#[test]
fn a_window_that_empties_is_right_or_missing_from_the_first_missed_scrape_on() {
    for (interval, window) in [(5000, 30_000), (15_000, 60_000), (10_000, 40_000)] {
        let mut world = World::of(1, interval, window);
        world.servers[0].1 = vec![(1_100_000, 1_120_000)];
        is_true(&world);
        let mut world = World::of(1, interval, window);
        world.pods[0].away = vec![(1_100_000, 1_120_000)];
        is_true(&world);
    }
}

#[test]
fn a_rollout_reads_the_rate_of_the_new_pods_not_a_part_of_it() {
    for (interval, window) in [(5000, 60_000), (15_000, 60_000), (1000, 30_000)] {
        let mut world = World::of(4, interval, window);
        let mut at = 1_090_000;
        for n in 0..4 {
            at += 10_000;
            let old = &mut world.pods[n];
            old.lives.1 = at + 5000;
            let new = Pod {
                name: format!("new{n}"),
                lives: (at, 10_000_000),
                begins_at: 0.0,
                ..old.clone()
            };
            world.pods.push(new);
        }
        let served = is_true(&world);
        // The mean over the whole window is low for a young pod, which lived for a part of it. So the number
        // is compared with the mean over the pod's life.
        for one in served.iter().filter(|one| one.pod.name.starts_with("new")) {
            let value = one.value.unwrap_or(one.pod.rate);
            assert!(
                value > 0.85 * one.pod.rate,
                "{} at {}: {value}",
                one.pod.name,
                seconds(one.at)
            );
        }
        let after = told(&served, 1_140_000 + window, 1_400_000);
        assert!(after > 0.99, "{after}");
    }
}

/// Without any gap every number is there and equals the rate.
fn is_whole(world: &World) -> Result<(), String> {
    let served = world.run();
    let after = world.from + world.window;
    let wrong: Vec<String> = served
        .iter()
        .filter(|one| one.at > after)
        .filter_map(|one| match one.value {
            None => Some(format!("{} at {:.1}s: missing", one.pod.name, seconds(one.at))),
            Some(_) => one.judged(LEAST, 1.1).err(),
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {}, such as {:?}",
        wrong.len(),
        served.len(),
        wrong.first()
    ))
}

/// The samples of two targets interleave. That does not make samples close together, and the distance between
/// two samples of one target is no gap.
#[test]
fn two_servers_behind_one_address_and_two_targets_of_a_pod_are_no_gaps() {
    for (interval, window) in [
        (5000, 60_000),
        (10_000, 60_000),
        (15_000, 60_000),
        (15_000, 120_000),
        (30_000, 120_000),
        (60_000, 180_000),
        (60_000, 300_000),
    ] {
        for apart in [1000, 2700, interval / 3, interval / 2] {
            let mut world = World::of(3, interval, window);
            world.until = 2_000_000;
            world.is_balanced = true;
            world.servers = vec![(0, Vec::new(), 0), (0, Vec::new(), apart)];
            let balanced = is_whole(&world);
            let mut world = World::of(3, interval, window);
            world.until = 2_000_000;
            world.twin = Some(apart);
            let twins = is_whole(&world);
            assert_eq!(
                (balanced, twins),
                (Ok(()), Ok(())),
                "{interval} ms in {window} ms, {apart} ms apart"
            );
        }
    }
}
