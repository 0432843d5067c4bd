//! Searches over seeded loads.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use vas_core::{
    hpa::Controller,
    replay::{Assumptions, Builder, Load, TimeToReady, Value as Rate},
};

use super::*;
use crate::simulate::{
    comparison::{self, Capacity, Comparison, Settings},
    cost::Price,
    subject::Hints,
};

const START: i64 = 1_772_359_200;

/// A load whose value in each minute is given.
fn load(minutes: i64, rate: impl Fn(i64) -> f64) -> Load {
    let mut builder = Builder::default();
    for minute in 0..minutes {
        let at = Timestamp::from_second(START + 60 * minute).unwrap();
        let rate = Some(rate(minute));
        builder.add(Rate { at, rate }).unwrap();
    }
    builder.finish().unwrap()
}

/// Numbers from 0 to 1 that follow from a seed.
fn noise(seed: u64, minute: i64) -> f64 {
    let mut bits = seed ^ u64::try_from(minute).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for shift in [30, 27, 31] {
        bits = (bits ^ (bits >> shift)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    f64::from(u32::try_from(bits >> 32).unwrap()) / f64::from(u32::MAX)
}

/// Waves of an hour between 100 and 900 requests per second.
fn waves(seed: u64) -> Load {
    load(13 * 60, |minute| {
        let wave = (f64::from(i32::try_from(minute).unwrap()) / 60.0 * std::f64::consts::TAU).sin();
        500.0 + 350.0 * wave + 100.0 * (noise(seed, minute) - 0.5)
    })
}

fn settings(load: Load) -> Settings {
    Settings {
        load,
        assumptions: Assumptions {
            capacity: 100.0,
            time_to_ready: TimeToReady::constant(60.0),
            objective: 0.5,
            patience: 10.0,
            scrape: 15_000,
            poll: 5_000,
            sync: 15_001,
            warm_up: 30 * 60_000,
            controller: Controller::default(),
        },
        capacity: Capacity::Given,
        contenders: Vec::new(),
        price: None,
        assumed: Vec::new(),
        left_out: Vec::new(),
    }
}

/// A resource with one workload; `more` are further fields of it.
fn written(target: Value, min: i32, more: Value) -> Written {
    let mut workload = json!({
        "name": "web",
        "scaleTargetRef": {"name": "web"},
        "minReplicas": min,
        "maxReplicas": 20,
        "metrics": [
            {"name": "memory", "resource": {"name": "memory", "target": {"averageUtilization": 80}}},
            {"name": "rate", "requestRate": {"counter": "http_requests_total", "target": {"averageValue": target}}},
        ],
    });
    let fields = workload.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    Written {
        document: json!({
            "apiVersion": "scaling.voiceassist.io/v1alpha1",
            "kind": "VoiceAssistScaling",
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {"workloads": [workload]},
        }),
        environment: None,
        workload: None,
        hints: Hints::default(),
        namespace: None,
        kubectl: Vec::new(),
    }
}

const EFFORT: Effort = Effort {
    runs: 150,
    threads: 2,
};

fn found(load: Load, written: &Written, goal: &Goal) -> Optimization {
    optimize(&settings(load), written, goal, EFFORT, &mut |_| {}).unwrap()
}

fn space(written: &Written) -> Space {
    Space::of(written, &settings(waves(0)).assumptions).unwrap()
}

/// The value of a field of a point.
fn value<'a>(found: &'a Optimization, point: &'a Point, name: &str) -> &'a Value {
    let position = found.fields.iter().position(|field| field.name == name);
    &point.values[position.unwrap_or_else(|| panic!("{name}: {:?}", found.fields))]
}

/// The resource with the values of a point.
fn document(written: &Written, point: &Point) -> Value {
    let space = space(written);
    let mut document = written.document.clone();
    let start = space.values(&space.start());
    for ((field, value), start) in space.fields().iter().zip(&point.values).zip(&start) {
        if value != start {
            written::set(&mut document, &field.pointer, value.clone());
        }
    }
    document
}

#[test]
fn a_target_near_the_capacity_is_lowered_where_pods_come_late() {
    let written = written(json!("95"), 2, json!({}));
    let goal: Goal = "1%".parse().unwrap();
    let found = found(waves(1), &written, &goal);
    assert!(
        found.current.figures.judged.outcome.short() > 0.05,
        "{:?}",
        found.current
    );
    let position = found.recommendation.point.unwrap();
    let point = &found.front[position];
    let target: f64 = value(&found, point, "target of rate")
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(target < 90.0, "{point:?}");
    for figures in [point.figures.fitted, point.figures.judged] {
        assert!(figures.outcome.short() <= 0.01, "{point:?}");
    }
    // Nothing cheaper that is shown would have done.
    for cheaper in &found.front[..position] {
        let short = [cheaper.figures.fitted, cheaper.figures.judged].map(|one| one.outcome.short());
        assert!(short.iter().any(|short| *short > 0.01), "{cheaper:?}");
    }
    let text = text::render(&found, false);
    assert!(
        text.contains("kubectl patch vas shop -n shop --type json -p '[{\"op\":\"test\""),
        "{text}"
    );
}

#[test]
fn what_cannot_be_cheaper_is_kept() {
    let written = written(json!("70"), 2, json!({}));
    for goal in [
        Goal::NoWorse,
        "0%".parse().unwrap(),
        Goal::MaxCost(2.0 * 730.0 + 1.0),
    ] {
        let found = found(load(780, |_| 130.0), &written, &goal);
        assert_eq!(found.recommendation.point, None, "{found:?}");
        assert_eq!(found.patch, []);
        assert!((found.current.figures.judged.cost - 2.0 * 730.0).abs() < 1e-6);
        assert!(text::render(&found, false).contains("Keep what there is. "));
    }
}

#[test]
fn a_bound_that_nothing_keeps_keeps_what_there_is_and_says_what_is_least() {
    let written = written(json!("70"), 2, json!({}));
    let found = found(waves(2), &written, &Goal::MaxCost(100.0));
    assert_eq!(found.recommendation.point, None);
    assert!(
        found.recommendation.reason.contains("the least there is"),
        "{:?}",
        found.recommendation
    );
}

#[test]
fn every_point_obeys_the_rules_and_no_point_is_beaten() {
    // One replica would do, but the disruption budget needs more than two; and the rate looks back two minutes, of which
    // a shorter window of scale-down is warned.
    let mut written = written(json!("70"), 6, json!({"disruption": {"minAvailable": 2}}));
    let rate = written
        .document
        .pointer_mut("/spec/workloads/0/metrics/1/requestRate/window");
    assert!(rate.is_none());
    written::set(
        &mut written.document,
        "/spec/workloads/0/metrics/1/requestRate/window",
        json!("2m"),
    );
    let found = found(
        load(780, |minute| 60.0 + 200.0 * noise(3, minute / 30)),
        &written,
        &Goal::NoWorse,
    );
    assert!(!found.front.is_empty());
    for point in &found.front {
        let checked = written.check(&document(&written, point));
        assert_eq!(checked.validation.violations, [], "{point:?}");
        assert_eq!(checked.validation.warnings, [], "{point:?}");
    }
    let best = &found.front[found.recommendation.point.unwrap()];
    assert_eq!(value(&found, best, "minReplicas"), &json!(3));
    let mut front = found.front.clone();
    front.remove(found.recommendation.point.unwrap());
    for pair in front.windows(2) {
        let [one, other] = [&pair[0].figures.fitted, &pair[1].figures.fitted];
        assert!(
            one.cost < other.cost && one.outcome.short() > other.outcome.short(),
            "{pair:?}"
        );
    }
    assert!(found.front.len() <= MOST_POINTS);
}

#[test]
fn the_number_of_threads_and_a_second_search_change_nothing_and_the_bound_holds() {
    let written = written(json!("90"), 2, json!({}));
    let settings = settings(waves(4));
    let search = |threads| {
        let mut told = Vec::new();
        let effort = Effort { runs: 60, threads };
        let found = optimize(&settings, &written, &Goal::NoWorse, effort, &mut |one| {
            told.push(one);
        });
        (found.unwrap(), told)
    };
    let (one, told) = search(1);
    assert_eq!((one.runs, one.complete), (60, false));
    assert!(
        told.is_sorted_by_key(|one| one.runs) && told.len() > 2,
        "{told:?}"
    );
    for threads in [1, 3, 100] {
        assert_eq!(search(threads), (one.clone(), told.clone()));
    }
}

#[test]
fn what_was_found_is_in_the_text_the_json_and_the_page() {
    let written = written(json!("95"), 2, json!({}));
    let settings = settings(waves(5));
    let effort = Effort { runs: 20, threads: 2 };
    let found = optimize(&settings, &written, &Goal::NoWorse, effort, &mut |_| {}).unwrap();
    let comparison = Comparison {
        rows: Vec::new(),
        optimization: Some(found.clone()),
    };
    let text = comparison::text::render(&settings, &comparison);
    assert!(
        text.contains("REPLICA-HOURS/MONTH") && text.contains("20 settings were replayed"),
        "{text}"
    );
    let page = comparison::html::render(&settings, &comparison);
    assert!(page.contains("Other settings") && page.contains("TARGET OF RATE"));
    let json: Value =
        serde_json::from_str(&comparison::json::render(&settings, &comparison).unwrap()).unwrap();
    let part = &json["optimization"];
    assert_eq!(part["front"].as_array().unwrap().len(), found.front.len());
    assert_eq!(part["current"]["values"][0], "95");
    let judged = found.current.figures.judged;
    assert_eq!(part["current"]["judged"]["cost"].as_f64(), Some(judged.cost));
    // A price changes the unit of the cost and nothing else.
    let priced = Settings {
        price: Price::of(2.0),
        ..settings
    };
    let dear = optimize(&priced, &written, &Goal::NoWorse, effort, &mut |_| {}).unwrap();
    assert_eq!(dear.front.len(), found.front.len());
    assert!((dear.current.figures.judged.cost - 2.0 * judged.cost).abs() < 1e-6);
}

#[test]
fn what_is_disabled_is_not_searched_and_a_schedule_counts() {
    let behavior = json!({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}});
    let space = space(&written(json!("70"), 2, behavior));
    let names: Vec<String> = space.fields().into_iter().map(|field| field.name).collect();
    assert_eq!(names, ["target of rate", "scale-up policies"]);
    let schedules = json!({"schedules": [
        {"name": "day", "schedule": "0 0 * * *", "duration": "24h", "timeZone": "UTC", "minReplicas": 9},
    ]});
    let found = found(
        load(780, |_| 130.0),
        &written(json!("70"), 2, schedules),
        &Goal::NoWorse,
    );
    let mean = found.current.figures.judged.outcome.mean_replicas();
    assert!((mean - 9.0).abs() < 1e-6, "{mean}");
}

#[test]
fn a_target_at_which_the_hpa_never_scales_up_is_not_tried_and_told_where_it_is_written() {
    let targets = |written: &Written| -> Vec<f64> {
        let space = space(written);
        let first = &space.dimensions[0].values.all;
        first
            .iter()
            .map(|one| one.as_str().unwrap().parse().unwrap())
            .collect()
    };
    // A pod shows 100 at most, and 100 / 91 is within the tolerance of 10 %.
    let low = written(json!("70"), 2, json!({}));
    assert!(
        targets(&low).iter().all(|target| *target < 100.0 / 1.1),
        "{:?}",
        targets(&low)
    );
    assert_eq!(space(&low).warnings, [""; 0]);
    let high = written(json!("110"), 2, json!({}));
    let above: Vec<f64> = targets(&high)
        .into_iter()
        .filter(|target| *target > 90.0)
        .collect();
    assert_eq!(above, [110.0]);
    let warnings = space(&high).warnings;
    assert!(
        warnings[0].contains("The target 110 of the metric rate never makes the HPA scale up"),
        "{warnings:?}"
    );
    // Within a tolerance of its own of 0.5 a target of 70 is 105.
    let wide = written(
        json!("70"),
        2,
        json!({"behavior": {"scaleUp": {"tolerance": "500m"}}}),
    );
    assert_eq!(
        (space(&wide).warnings.len(), targets(&wide).last()),
        (1, Some(&70.0))
    );
    let found = found(waves(6), &high, &Goal::NoWorse);
    assert!(text::render(&found, false).contains("The target 110 of the metric rate never"));
}

#[test]
fn settings_that_keep_a_target_at_which_the_hpa_never_scales_up_are_not_recommended() {
    let stuck = |target: Value| {
        let written = written(target, 10, json!({}));
        let space = space(&written);
        let mut fewer = space.start();
        let least = space
            .fields()
            .iter()
            .position(|field| field.name == "minReplicas");
        fewer[least.unwrap()] -= 1;
        let mut lower = space.start();
        lower[0] -= 1;
        [space.start(), fewer, lower].map(|place| space.scales_up(&place))
    };
    assert_eq!(stuck(json!("110")), [false, false, true]);
    assert_eq!(stuck(json!("70")), [true, true, true]);
    // With minReplicas alone, the steady load would cost less.
    let found = found(
        load(780, |_| 130.0),
        &written(json!("110"), 10, json!({})),
        &Goal::NoWorse,
    );
    let point = &found.front[found.recommendation.point.unwrap()];
    assert_ne!(value(&found, point, "target of rate"), "110", "{point:?}");
}

#[test]
fn cpu_that_a_pod_at_its_capacity_never_shows_is_not_tried() {
    let mut written = written(json!("70"), 2, json!({}));
    let metrics = json!([{"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 30}}},
        {"name": "memory", "resource": {"name": "memory", "target": {"averageUtilization": 80}}}]);
    written::set(&mut written.document, "/spec/workloads/0/metrics", metrics);
    // 100 requests/s of 2 ms are 200m, half of what a pod requests.
    written.hints = Hints {
        cpu_per_request: Some(0.002),
        cpu_request: Some(400),
        ..Hints::default()
    };
    let space = space(&written);
    let all = [20, 25, 30, 35, 40, 45].map(|percent| json!(percent));
    assert_eq!(space.dimensions[0].values.all, all);
    assert_eq!(
        space.fields()[1].name,
        "minReplicas",
        "memory does not follow from the load"
    );
}

#[test]
fn no_settings_are_cheaper_only_because_they_start_with_fewer_replicas() {
    let behavior = json!({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}});
    let model = |min| {
        let written = written(json!("70"), min, behavior.clone());
        written.model(&written.document).unwrap()
    };
    let load = load(240, |minute| if minute < 60 { 900.0 } else { 130.0 });
    let halves = Halves::of(&settings(load), &model(10));
    let fitted = halves.fit(&model(3));
    let judged = halves.judge(&model(3), fitted);
    assert!(fitted.mean_replicas() > 9.99, "{fitted:?}");
    let peak = judged.judged.outcome.peak;
    assert!(
        peak >= 13 && (judged.judged.outcome.mean_replicas() - f64::from(peak)).abs() < 1e-6,
        "{judged:?}"
    );
}

#[test]
fn the_command_names_namespace_and_cluster_and_tests_the_generation_of_a_live_resource() {
    let mut written = written(json!("70"), 10, json!({}));
    written.namespace = Some("shop-2".to_owned());
    written.kubectl = ["--context", "my shop"].map(str::to_owned).to_vec();
    let metadata = json!({"name": "shop", "generation": 7});
    written::set(&mut written.document, "/metadata", metadata);
    let steady = || load(780, |_| 130.0);
    let found = found(steady(), &written, &Goal::NoWorse);
    let text = text::render(&found, false);
    assert!(
        text.contains("\nkubectl patch vas shop -n shop-2 --context 'my shop' --type json -p '["),
        "{text}"
    );
    let generation = Operation::Test {
        path: "/metadata/generation".to_owned(),
        value: json!(7),
    };
    assert!(found.patch.contains(&generation), "{:?}", found.patch);
    written::set(&mut written.document, "/metadata/namespace", json!("shop; date"));
    let error = optimize(&settings(steady()), &written, &Goal::NoWorse, EFFORT, &mut |_| {});
    assert_eq!(
        error.unwrap_err(),
        OptimizeError::Namespace("shop; date".to_owned())
    );
}

#[test]
fn for_an_environment_of_a_flag_no_field_of_the_base_is_patched() {
    let mut written = written(json!("70"), 10, json!({}));
    let environments =
        json!([{"name": "dev"}, {"name": "live", "workloads": [{"name": "web", "minReplicas": 9}]}]);
    written::set(&mut written.document, "/spec/environments", environments);
    written::set(&mut written.document, "/spec/environment", json!("dev"));
    let of = |environment: &str, floor: i32| {
        let mut written = written.clone();
        written.environment = Some(environment.to_owned());
        // Only minReplicas can be better than this.
        let load = load(780, |_| 60.0 * f64::from(floor));
        found(load, &written, &Goal::NoWorse)
    };
    let own = of("dev", 2);
    assert!(
        own.recommendation.point.is_some() && !own.patch.is_empty(),
        "{:?}",
        own.recommendation
    );
    let environment = Operation::Test {
        path: "/spec/environment".to_owned(),
        value: json!("dev"),
    };
    assert!(own.patch.contains(&environment));
    let live = of("live", 2);
    assert!(live.recommendation.point.is_some());
    assert!(
        live.patch.iter().all(
            |one| !matches!(one, Operation::Replace { path, .. } | Operation::Add { path, .. }
            if !path.starts_with("/spec/environments/1/"))
        ),
        "{:?}",
        live.patch
    );
    written::set(&mut written.document, "/spec/environment", json!("live"));
    let dev = {
        let mut written = written.clone();
        written.environment = Some("dev".to_owned());
        found(load(780, |_| 120.0), &written, &Goal::NoWorse)
    };
    assert!(dev.recommendation.point.is_some());
    assert_eq!(dev.patch, []);
    let reason = &dev.recommendation.reason;
    assert!(
        reason.contains("There is no patch: the figures are those of the environment dev, and minReplicas"),
        "{reason}"
    );
    assert!(!text::render(&dev, false).contains("kubectl patch"));
}

#[test]
fn from_too_little_load_nothing_is_recommended_and_the_hours_are_told() {
    let written = written(json!("70"), 10, json!({}));
    let with = |minutes: i64, known: &dyn Fn(i64) -> bool, rate: f64| {
        let mut builder = Builder::default();
        for minute in 0..minutes {
            let at = Timestamp::from_second(START + 60 * minute).unwrap();
            let rate = known(minute).then_some(rate);
            builder.add(Rate { at, rate }).unwrap();
        }
        found(builder.finish().unwrap(), &written, &Goal::NoWorse)
    };
    let enough = with(822, &|_| true, 130.0);
    assert!(
        enough.recommendation.point.is_some(),
        "{:?}",
        enough.recommendation
    );
    let short = with(12 * 60, &|_| true, 130.0);
    let gaps = with(40 * 60, &|minute| minute < 20 * 60 || minute % 60 < 25, 130.0);
    let nothing = with(13 * 60, &|_| true, 0.0);
    for (few, words) in [
        (short, "the first half has values for 5.8 h of 5.8 h"),
        (gaps, "the second one has values for 8."),
        (nothing, "and no request at all"),
    ] {
        let reason = &few.recommendation.reason;
        assert_eq!((few.recommendation.point, few.patch.len()), (None, 0));
        assert!(
            reason.contains(words) && reason.contains("Take a longer --load, or an earlier --start."),
            "{reason}"
        );
    }
    assert!(text::render(&enough, false).contains("(6.6 h of 6.6 h have values), judged on "));
}

#[test]
fn a_half_without_values_is_told() {
    let mut builder = Builder::default();
    for minute in 0..240 {
        let at = Timestamp::from_second(START + 60 * minute).unwrap();
        let rate = (minute < 120).then_some(100.0);
        builder.add(Rate { at, rate }).unwrap();
    }
    let settings = settings(builder.finish().unwrap());
    let written = written(json!("70"), 2, json!({}));
    let error = optimize(&settings, &written, &Goal::NoWorse, EFFORT, &mut |_| {});
    assert_eq!(error.unwrap_err(), OptimizeError::Empty);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Changing the load of one half changes nothing of the figures of the other.
    #[test]
    fn a_point_is_fitted_on_the_first_half_and_judged_on_the_second(
        seed in any::<u64>(), minutes in 100..200_i64, factor in 1.5..4.0_f64
    ) {
        let middle = minutes.midpoint(30);
        let rate = |minute| 100.0 + 400.0 * noise(seed, minute / 10);
        let changed = |from: i64, to: i64| {
            let load = load(minutes, |minute| {
                rate(minute) * if (from..to).contains(&minute) { factor } else { 1.0 }
            });
            let written = written(json!("70"), 2, json!({}));
            let model = written.model(&written.document).unwrap();
            // The replicas at the start of the second half come of the first one, and are the same for all settings.
            let mut halves = Halves::of(&settings(load), &model);
            halves.starts = [4, 4];
            let fitted = halves.fit(&model);
            (fitted, halves.judge(&model, fitted))
        };
        let (fitted, judged) = changed(0, 0);
        let second = changed(middle + 1, minutes);
        prop_assert_eq!(second.0, fitted);
        prop_assert!(second.1.judged.outcome.offered > 1.2 * judged.judged.outcome.offered);
        // The warm-up of the second half is at the end of the first one.
        let first = changed(0, middle - 31);
        prop_assert_eq!(first.1.judged, judged.judged);
        prop_assert_eq!(first.1.at_twice, judged.at_twice);
        let all = fitted.seconds + judged.judged.outcome.seconds;
        prop_assert!((all - 60.0 * f64::from(i32::try_from(minutes - 30).unwrap())).abs() < 1e-6);
    }
}
