use serde_json::{Value, json};

use crate::spec::rules::{
    testing::{accepted, accepts, object, refuses, violations, with_workload},
    validate,
};

/// A good entry with fields replaced; `null` removes one.
fn entry(fields: Value) -> Value {
    let mut entry = json!({
        "name": "hours", "schedule": "30 6 * * Mon-Fri", "duration": "13h30m", "timeZone": "Europe/Berlin",
        "minReplicas": 8,
    });
    for (name, value) in fields.as_object().unwrap() {
        if value.is_null() {
            entry.as_object_mut().unwrap().remove(name);
        } else {
            entry[name] = value.clone();
        }
    }
    entry
}

fn with(fields: Value) -> Value {
    json!({ "schedules": [entry(fields)] })
}

fn warnings(fields: Value) -> Vec<String> {
    let validation = validate(&object(&with_workload(fields)));
    assert_eq!(validation.violations, []);
    validation.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn an_entry_is_read_and_a_disabled_one_is_left_out() {
    let workload = accepted(json!({"schedules": [
        entry(json!({"except": ["2026-12-25"]})),
        entry(json!({"name": "launch", "schedule": null, "at": "2020-12-01T08:00", "duration": "1d", "maxReplicas": 40})),
        entry(json!({"name": "off", "enabled": false, "minReplicas": 99})),
    ]}));
    let names: Vec<&str> = workload
        .schedules
        .entries()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["hours", "launch"], "an at in the past is valid");
    let at = |time: &str| {
        let bounds = workload.bounds_at(time.parse().unwrap());
        (bounds.min, bounds.max)
    };
    assert_eq!(at("2026-11-30T05:29:59Z"), (2, 10));
    assert_eq!(at("2026-11-30T05:30:00Z"), (8, 10));
    assert_eq!(at("2026-11-30T19:00:00Z"), (2, 10));
    assert_eq!(at("2020-12-01T08:00:00Z"), (8, 40));
}

#[test]
fn what_is_wrong_is_told_with_the_entry_and_the_fix() {
    for (fields, place, words) in [
        (
            json!({"schedule": "0 30 6 * * 1-5"}),
            ".schedule",
            "entry hours: not a cron expression: has 6 fields",
        ),
        (
            json!({"schedule": "0 0 30 2 *"}),
            ".schedule",
            "no window ever begins",
        ),
        (
            json!({"schedule": null}),
            "",
            "entry hours needs exactly one of schedule",
        ),
        (
            json!({"at": "2026-12-01T08:00"}),
            "",
            "entry hours needs exactly one of schedule",
        ),
        (
            json!({"schedule": null, "at": "2026-02-30T08:00"}),
            ".at",
            "write it as 2026-12-01T08:00",
        ),
        (
            json!({"schedule": null, "at": "9999-12-31T23:00", "duration": "1d"}),
            ".at",
            "beyond the year 9999",
        ),
        (
            json!({"duration": null}),
            ".duration",
            "entry hours needs a duration",
        ),
        (json!({"duration": "4m59s"}), ".duration", "at least 5m"),
        (json!({"duration": "745h"}), ".duration", "at most 31d"),
        (json!({"duration": "32d"}), ".duration", "at most 31d"),
        (json!({"timeZone": null}), ".timeZone", "there is no default"),
        (
            json!({"timeZone": "Europe/Berlim"}),
            ".timeZone",
            "entry hours: no time zone",
        ),
        (
            json!({"except": ["2026-12-25", "2026-02-30"]}),
            ".except[1]",
            "no such date",
        ),
        (
            json!({"minReplicas": null}),
            "",
            "needs minReplicas, maxReplicas or both",
        ),
        (
            json!({"minReplicas": 11}),
            ".minReplicas",
            "entry hours has minReplicas 11 above maxReplicas 10; write maxReplicas in the entry too",
        ),
        (
            json!({"minReplicas": 9, "maxReplicas": 8}),
            ".minReplicas",
            "9 above maxReplicas 8; lower minReplicas",
        ),
    ] {
        refuses(
            with(fields),
            &format!("spec.workloads[0].schedules[0]{place}"),
            words,
        );
    }
    refuses(
        with(json!({"minReplicas": null, "maxReplicas": 1})),
        "spec.workloads[0].minReplicas",
        "write minReplicas in the entry too",
    );
    for duration in ["5m", "744h", "31d"] {
        accepts(with(json!({ "duration": duration })));
    }
}

#[test]
fn an_environment_changes_entries_by_name_and_its_bounds_are_held_against_them() {
    let mut spec = with_workload(with(json!({})));
    spec["environments"] = json!([
        {"name": "dev", "workloads": [{"name": "api", "maxReplicas": 3, "schedules": [{"name": "hours", "enabled": false}]}]},
        {"name": "prod", "workloads": [{"name": "api", "schedules": [{"name": "hours", "minReplicas": 9}, {"name": "more"}]}]},
        {"name": "test", "workloads": [{"name": "api", "maxReplicas": 7}]},
    ]);
    let lines: Vec<String> = violations(&spec).iter().map(ToString::to_string).collect();
    assert!(
        lines.iter().all(|line| !line.contains("environment dev")),
        "{lines:#?}"
    );
    assert!(
        lines[0].starts_with("spec.environments[1].workloads[0].schedules[1]: {\"name\":\"more\"}: entry more needs exactly one"),
        "{lines:#?}"
    );
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("spec.environments[2].workloads[0].maxReplicas: 7: entry hours has minReplicas 8 above maxReplicas 7"),
        "{lines:#?}"
    );
}

#[test]
fn budgets_and_zero_are_held_against_the_lowest_minimum() {
    let night = json!({"name": "night", "minReplicas": 1});
    let mut fields = with(night);
    fields["disruption"] = json!({"minAvailable": 1});
    refuses(
        fields,
        "spec.workloads[0].disruption.minAvailable",
        "of minReplicas 1",
    );
    let mut fields = with(json!({"minReplicas": 0}));
    fields["disruption"] = Value::Null;
    refuses(
        fields.clone(),
        "spec.workloads[0].schedules[0].minReplicas",
        "minReplicas 0 needs a queueDepth",
    );
    fields["metrics"] =
        json!([{"name": "depth", "queueDepth": {"gauge": "g", "target": {"averageValue": "5"}}}]);
    accepts(fields);
}

#[test]
fn a_schedule_without_an_hpa_is_refused() {
    let mut fields = with(json!({}));
    for field in ["metrics", "maxReplicas", "minReplicas"] {
        fields[field] = Value::Null;
    }
    refuses(
        fields,
        "spec.workloads[0].schedules",
        "without metrics there is no HPA",
    );
}

#[test]
fn a_maximum_that_falls_and_an_entry_without_effect_are_warned_of() {
    let found = warnings(with(json!({"minReplicas": 2, "maxReplicas": 6})));
    assert!(
        found[0].starts_with("spec.workloads[0].schedules[0].maxReplicas: 6: "),
        "{found:?}"
    );
    assert!(
        found[0].contains("falls from 10 to 6: the HPA removes the pods above it at once"),
        "{found:?}"
    );
    let found = warnings(with(json!({"minReplicas": 2})));
    assert!(found[0].contains("2 to 10: it changes nothing"), "{found:?}");
    assert_eq!(warnings(with(json!({"maxReplicas": 20}))), [] as [&str; 0]);
}
