//! Properties of all scenarios: any text gives a model or an error. The parser never panics, and no model has
//! a load that cannot be sent.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    ScenarioError, builtin, duration,
    model::{Load, Scenario, Threshold},
    parse, quick,
};

fn read(text: &str, csv: &str) -> Result<Scenario, ScenarioError> {
    parse(text, "test", &|_| Ok(csv.as_bytes().to_vec()))
}

fn stage() -> impl Strategy<Value = String> {
    let length = 0_u64..100_000;
    let level = prop_oneof![0.0..1e6_f64, Just(0.0), Just(-1.0), any::<f64>()];
    prop_oneof![
        (length.clone(), level.clone())
            .prop_map(|(length, level)| format!("{{duration: {length}ms, target: {level}}}")),
        (length.clone(), level.clone())
            .prop_map(|(length, level)| format!("{{duration: {length}ms, at: {level}}}")),
        (length.clone(), level.clone(), level, 0_u64..5000).prop_map(|(length, from, to, every)| format!(
            "{{duration: {length}ms, sawtooth: {{from: {from}, to: {to}, every: {every}ms}}}}"
        )),
        Just("{trace: day.csv}".to_owned()),
    ]
}

fn trace() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        (0.0..1e5_f64, 0.0..1e6_f64).prop_map(|(seconds, level)| format!("{seconds},{level}")),
        (any::<f64>(), any::<f64>()).prop_map(|(seconds, level)| format!("{seconds},{level}")),
        any::<String>(),
    ];
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

fn scale() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>(), 1e-6..100.0_f64]
}

/// Asserts that the load can be sent.
fn sound(scenario: &Scenario) {
    let profile = scenario.load.profile();
    assert!(profile.seconds().is_finite() && profile.seconds() > 0.0);
    assert!(profile.total().is_finite() && profile.total() > 0.0);
    assert!(profile.peak() > 0.0 && profile.peak() <= 1e6);
    assert!(profile.total() <= profile.peak() * profile.seconds() * (1.0 + 1e-9) + f64::MIN_POSITIVE);
    for share in 0..50 {
        let level = profile.level(profile.seconds() * f64::from(share) / 50.0);
        // A level is computed from the slope, whose rounding error grows with the peak.
        let error = profile.peak() * 1e-6;
        assert!((-error..=profile.peak() + error).contains(&level), "{level}");
    }
    let journeys = &scenario.journeys;
    assert!(journeys.iter().any(|journey| journey.weight > 0));
    assert!(journeys.iter().all(|journey| !journey.steps.is_empty()));
}

proptest! {
    #[test]
    fn any_stages_are_refused_or_give_a_course_that_can_be_sent(
        stages in prop::collection::vec(stage(), 0..5), csv in trace(), open in any::<bool>()
    ) {
        let model = if open { "rate" } else { "users" };
        let text = format!(
            "load: {{{model}: [{}]}}\njourneys: [{{name: a, steps: [{{get: /}}]}}]\n",
            stages.join(", ")
        );
        if let Ok(scenario) = read(&text, &csv) {
            sound(&scenario);
            prop_assert_eq!(matches!(scenario.load, Load::Open(_)), open);
        }
    }

    #[test]
    fn a_document_with_any_words_in_it_is_read_or_refused(words in any::<String>(), field in 0_usize..8) {
        let word = |index: usize, usual: &str| {
            let text = if index == field { words.as_str() } else { usual };
            serde_json::Value::from(text).to_string()
        };
        let text = format!(
            "{{load: {{rate: [{{duration: {}, at: 5}}]}}, timeout: {}, thresholds: [{}], journeys: [{{name: a, \
             think: {}, headers: {{{}: x}}, steps: [{{get: {}, extract: {{{}: 'json:/a'}}, checks: [{}]}}]}}]}}",
            word(0, "1s"), word(1, "1s"), word(2, "errors < 1%"), word(3, "1s-2s"), word(4, "x-tenant"),
            word(5, "/a"), word(6, "token"), word(7, "contains a")
        );
        if let Ok(scenario) = read(&text, "") {
            sound(&scenario);
        }
    }

    #[test]
    fn any_scale_gives_a_course_that_can_be_sent(times in scale(), levels in scale()) {
        let level = quick::Level::Rate(100.0);
        let whole = quick::scenario(level, Duration::from_secs(60), false, Vec::new());
        if let Ok(scaled) = whole.scaled(times, levels) {
            sound(&scaled);
        }
    }

    #[test]
    fn a_threshold_is_written_as_it_was_read(
        permyriad in 1_u32..1_000_000, millis in 1_u64..10_000_000, step in prop::option::of("[a-zA-Z /{}:-]{0,9}[a-z]")
    ) {
        let percent = f64::from(permyriad) / 10_000.0;
        let limit = duration::format(Duration::from_millis(millis));
        let step = step.map(|step| format!("step {}: ", step.trim())).unwrap_or_default();
        for text in [
            format!("{step}latency p{percent} < {limit}"),
            format!("{step}within {limit} >= {percent}%"),
            format!("{step}errors < {percent}%"),
            format!("{step}retried < {percent}%"),
            format!("{step}trend < {percent}%/h"),
            format!("{step}rate >= {percent}/s"),
        ] {
            let threshold: Threshold = text.parse().unwrap();
            prop_assert_eq!(threshold.to_string(), text);
        }
    }
}

#[test]
fn a_trace_of_ages_is_refused() {
    for csv in ["0,1\n1e300,1\n", "-1e300,1\n0,1\n", "0,1\n1e12,0\n", "0,1\nx,y\n"] {
        let text = "load: {rate: [{trace: day.csv}]}\njourneys: [{name: a, steps: [{get: /}]}]\n";
        let error = read(text, csv).unwrap_err().to_string();
        assert!(error.contains("load.rate[0].trace: line"), "{csv}: {error}");
    }
}

#[test]
fn a_trace_that_does_not_end_and_users_with_nothing_to_do_are_refused() {
    let text = "load: {users: [{duration: 1s, at: 1}, {trace: day.csv}]}\njourneys: [{name: a, steps: [{get: /, once: true}]}]\n";
    let error = read(text, "seconds,level\n0,10\n").unwrap_err().to_string();
    for expected in [
        "load.users[1].trace: must have two lines",
        "journeys[0].steps: must not all be once",
    ] {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn every_scenario_that_comes_with_vas_is_sound_whole_and_scaled() {
    for builtin in builtin::BUILTIN {
        let scenario = read(builtin.text, "").unwrap_or_else(|error| panic!("{error}"));
        sound(&scenario);
        sound(&scenario.clone().scaled(0.01, 1.0).unwrap());
        assert!(!scenario.description.is_empty() && !scenario.thresholds.is_empty());
    }
}

#[test]
fn what_no_server_could_be_asked_is_refused_with_its_place() {
    let text = "
load: {rate: [{duration: 1s, at: 5}]}
thresholds: [errors < 0%]
journeys:
- name: a
  headers: {a b: x}
  steps:
  - {get: /x, expect: [200, 42], extract: {a-b: 'json:/a', user: 'json:/b'}}
  - {get: /x}
  - {get: '/a b', headers: {'': z}}
  - {name: '', get: /y}
";
    let error = read(text, "").unwrap_err().to_string();
    for expected in [
        "thresholds[0]: \"errors < 0%\" can never hold",
        "journeys[0].headers: \"a b\" is not the name of a header",
        "journeys[0].steps[0].expect[1]: 42 is not an HTTP status; use 100 to 599",
        "journeys[0].steps[0].extract: \"a-b\" is not the name of a variable",
        "journeys[0].steps[0].extract: user has a value from elsewhere",
        "journeys[0].steps[1].name: \"GET /x\" is there twice",
        "journeys[0].steps[2].get: \"/a b\" must not have spaces",
        "journeys[0].steps[2].headers: \"\" is not the name of a header",
        "journeys[0].steps[3].name: must not be empty",
    ] {
        assert!(error.contains(expected), "{expected}\n{error}");
    }
}
