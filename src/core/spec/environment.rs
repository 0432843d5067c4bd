//! Merges the base values of a spec with the changes of one environment. There is no other merge: operator,
//! metrics server, `vas render` and `vas validate` all use this one.
//!
//! A scalar of the environment replaces that of the base. `workloads`, `metrics` and `schedules` merge by name.
//! Eight parts are replaced as a whole: a metric's source, the start of a schedule's entry and its `except`, a
//! direction's `policies`, `vertical`, `disruption`, `limits.limitRange` and `limits.resourceQuota`. `enabled: false` switches `vertical`, `disruption` or
//! `limits` off. Must not check anything: the rules check the result ([`crate::spec::rules`]).

use vas_api::v1alpha1::{
    Behavior, Environment, Limits, Metric, ScalingRules, Schedule, VoiceAssistScalingSpec, Workload,
    WorkloadOverride,
};

/// The requested environment is not in `spec.environments`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment \"{name}\" is not in spec.environments ({})", known_names(known))]
pub struct UnknownEnvironment {
    /// Name of the requested environment.
    pub name: String,
    /// Names of the environments in the spec.
    pub known: Vec<String>,
}

fn known_names(known: &[String]) -> String {
    if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", known.join(", "))
    }
}

/// Merges an environment into the base values. The result has neither `environment` nor `environments`, so it
/// has the same meaning if it is applied as it is. `None` gives the base values alone.
///
/// # Errors
/// When there is no environment of that name.
pub fn resolve(
    spec: &VoiceAssistScalingSpec,
    environment: Option<&str>,
) -> Result<VoiceAssistScalingSpec, UnknownEnvironment> {
    match environment {
        None => Ok(merge(spec, &Environment::default())),
        Some(name) => find(spec, name)
            .map(|environment| merge(spec, environment))
            .ok_or_else(|| UnknownEnvironment {
                name: name.to_owned(),
                known: environments(spec).map(|known| known.name.clone()).collect(),
            }),
    }
}

/// The merged limits of the active environment. If the active environment is unknown, these are the limits of
/// the base values. In contrast to [`resolve`], nothing else of the spec is copied.
#[must_use]
pub fn active_limits(spec: &VoiceAssistScalingSpec) -> Option<Limits> {
    let active = spec.environment.as_deref().and_then(|name| find(spec, name));
    limits(spec, active.and_then(|environment| environment.limits.as_ref()))
}

fn environments(spec: &VoiceAssistScalingSpec) -> impl Iterator<Item = &Environment> {
    spec.environments.iter().flatten()
}

fn find<'a>(spec: &'a VoiceAssistScalingSpec, name: &str) -> Option<&'a Environment> {
    environments(spec).find(|candidate| candidate.name == name)
}

/// Merges one environment's changes into the base values. Overrides of workloads that the base does not have
/// are left out; a rule refuses them.
pub(crate) fn merge(base: &VoiceAssistScalingSpec, over: &Environment) -> VoiceAssistScalingSpec {
    let overrides = over.workloads.as_deref().unwrap_or_default();
    let workloads = base.workloads.iter().map(|workload| {
        overrides
            .iter()
            .find(|candidate| candidate.name == workload.name)
            .map_or_else(|| workload.clone(), |over| merge_workload(workload, over))
    });
    VoiceAssistScalingSpec {
        environment: None,
        suspend: over.suspend.or(base.suspend),
        workloads: workloads.collect(),
        limits: limits(base, over.limits.as_ref()),
        environments: None,
    }
}

fn merge_workload(base: &Workload, over: &WorkloadOverride) -> Workload {
    Workload {
        name: base.name.clone(),
        // An environment cannot change the target: its children would jump to another object.
        scale_target_ref: base.scale_target_ref.clone(),
        min_replicas: over.min_replicas.or(base.min_replicas),
        max_replicas: over.max_replicas.or(base.max_replicas),
        schedules: merge_option(base.schedules.as_ref(), over.schedules.as_ref(), |base, over| {
            merge_named(base, over, |entry| &entry.name, merge_schedule)
        }),
        suspend: over.suspend.or(base.suspend),
        metrics: merge_option(base.metrics.as_ref(), over.metrics.as_ref(), |base, over| {
            merge_named(base, over, |metric| &metric.name, merge_metric)
        }),
        behavior: merge_option(base.behavior.as_ref(), over.behavior.as_ref(), merge_behavior),
        vertical: over.vertical.clone().or_else(|| base.vertical.clone()),
        disruption: over.disruption.clone().or_else(|| base.disruption.clone()),
    }
}

/// The entries of the base in their order, with the environment's changes, and then those that the environment adds.
fn merge_named<T: Clone>(base: &[T], over: &[T], name: fn(&T) -> &str, merge: fn(&T, &T) -> T) -> Vec<T> {
    // Example: the base has `cpu, rate`, the environment `rate, depth`. The result is `cpu`, the changed
    // `rate`, then `depth`.
    let named = |list: &'_ [T], wanted: &T| list.iter().position(|one| name(one) == name(wanted));
    let changed = base.iter().map(|entry| {
        let over = named(over, entry).and_then(|position| over.get(position));
        over.map_or_else(|| entry.clone(), |over| merge(entry, over))
    });
    let added = over.iter().filter(|entry| named(base, entry).is_none());
    changed.chain(added.cloned()).collect()
}

/// Merges one metric. An override with a source replaces the base's source, even by one of another kind. An
/// override without a source keeps the base's.
fn merge_metric(base: &Metric, over: &Metric) -> Metric {
    // `{name: rate, enabled: false}` has no source and only switches the base's metric off.
    let source = if has_source(over) { over } else { base };
    Metric {
        name: base.name.clone(),
        enabled: over.enabled.or(base.enabled),
        resource: source.resource.clone(),
        container_resource: source.container_resource.clone(),
        request_rate: source.request_rate.clone(),
        pod_gauge: source.pod_gauge.clone(),
        queue_depth: source.queue_depth.clone(),
        queue_age: source.queue_age.clone(),
        prometheus: source.prometheus.clone(),
        on_missing: over.on_missing.or(base.on_missing),
        max_age: over.max_age.clone().or_else(|| base.max_age.clone()),
        prometheus_server: over
            .prometheus_server
            .clone()
            .or_else(|| base.prometheus_server.clone()),
        external: over.external.or(base.external),
    }
}

/// Merges one entry. `schedule` and `at` are one thing, the start: an override with either replaces the base's.
fn merge_schedule(base: &Schedule, over: &Schedule) -> Schedule {
    let starts = over.schedule.is_some() || over.at.is_some();
    let begins = if starts { over } else { base };
    Schedule {
        name: base.name.clone(),
        enabled: over.enabled.or(base.enabled),
        schedule: begins.schedule.clone(),
        at: begins.at.clone(),
        duration: over.duration.clone().or_else(|| base.duration.clone()),
        time_zone: over.time_zone.clone().or_else(|| base.time_zone.clone()),
        min_replicas: over.min_replicas.or(base.min_replicas),
        max_replicas: over.max_replicas.or(base.max_replicas),
        except: over.except.clone().or_else(|| base.except.clone()),
    }
}

fn has_source(metric: &Metric) -> bool {
    // All fields are listed so that a new kind of source does not compile before it is counted here.
    let Metric {
        name: _,
        enabled: _,
        resource,
        container_resource,
        request_rate,
        pod_gauge,
        queue_depth,
        queue_age,
        prometheus,
        on_missing: _,
        max_age: _,
        prometheus_server: _,
        external: _,
    } = metric;
    resource.is_some()
        || container_resource.is_some()
        || request_rate.is_some()
        || pod_gauge.is_some()
        || queue_depth.is_some()
        || queue_age.is_some()
        || prometheus.is_some()
}

fn merge_behavior(base: &Behavior, over: &Behavior) -> Behavior {
    Behavior {
        scale_up: merge_option(base.scale_up.as_ref(), over.scale_up.as_ref(), merge_rules),
        scale_down: merge_option(base.scale_down.as_ref(), over.scale_down.as_ref(), merge_rules),
    }
}

fn merge_rules(base: &ScalingRules, over: &ScalingRules) -> ScalingRules {
    ScalingRules {
        stabilization_window_seconds: over
            .stabilization_window_seconds
            .or(base.stabilization_window_seconds),
        policies: over.policies.clone().or_else(|| base.policies.clone()),
        select_policy: over.select_policy.or(base.select_policy),
        tolerance: over.tolerance.clone().or_else(|| base.tolerance.clone()),
    }
}

fn limits(base: &VoiceAssistScalingSpec, over: Option<&Limits>) -> Option<Limits> {
    merge_option(base.limits.as_ref(), over, merge_limits)
}

fn merge_limits(base: &Limits, over: &Limits) -> Limits {
    Limits {
        enabled: over.enabled.or(base.enabled),
        limit_range: over.limit_range.clone().or_else(|| base.limit_range.clone()),
        resource_quota: over
            .resource_quota
            .clone()
            .or_else(|| base.resource_quota.clone()),
    }
}

/// Merges two optional values. If only one side is set, the result is that side.
fn merge_option<T: Clone>(base: Option<&T>, over: Option<&T>, merge: impl FnOnce(&T, &T) -> T) -> Option<T> {
    match (base, over) {
        (Some(base), Some(over)) => Some(merge(base, over)),
        (one, other) => other.or(one).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Merges `over` (an environment without its name) into a base and returns the first workload.
    fn merged(base: Value, over: Value) -> VoiceAssistScalingSpec {
        let mut environment = over;
        environment["name"] = json!("e");
        let mut spec = base;
        spec["environments"] = json!([environment]);
        let spec: VoiceAssistScalingSpec = serde_json::from_value(spec).unwrap();
        resolve(&spec, Some("e")).unwrap()
    }

    fn base() -> Value {
        json!({"workloads": [{
            "name": "api",
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [
                {"name": "cpu", "resource": {"name": "cpu", "target": {"averageUtilization": 70}}},
                {"name": "rate", "maxAge": "1m", "requestRate": {"counter": "c", "matchLabels": {"a": "b"}, "target": {"averageValue": "100"}}},
            ],
            "behavior": {"scaleDown": {
                "stabilizationWindowSeconds": 300,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}, {"type": "Percent", "value": 10, "periodSeconds": 60}],
            }},
            "vertical": {"updateMode": "Initial", "containers": [{"name": "*"}]},
            "disruption": {"maxUnavailable": 1},
        }]})
    }

    fn json_of(spec: &VoiceAssistScalingSpec) -> Value {
        serde_json::to_value(spec).unwrap()
    }

    #[test]
    fn scalars_replace_and_what_is_not_named_stays() {
        let merged = json_of(&merged(
            base(),
            json!({"suspend": true, "workloads": [{"name": "api", "maxReplicas": 15}]}),
        ));
        assert_eq!(merged["suspend"], json!(true));
        assert_eq!(merged["workloads"][0]["minReplicas"], json!(2));
        assert_eq!(merged["workloads"][0]["maxReplicas"], json!(15));
    }

    #[test]
    fn metrics_merge_by_name_and_new_ones_come_last() {
        let merged = json_of(&merged(
            base(),
            json!({"workloads": [{"name": "api", "metrics": [
                {"name": "age", "queueAge": {"gauge": "g", "target": {"value": "60"}}},
                {"name": "rate", "enabled": false},
            ]}]}),
        ));
        let metrics = merged["workloads"][0]["metrics"].as_array().unwrap();
        let names: Vec<_> = metrics.iter().map(|metric| metric["name"].clone()).collect();
        assert_eq!(names, ["cpu", "rate", "age"]);
        assert_eq!(metrics[1]["enabled"], json!(false));
        assert_eq!(metrics[1]["maxAge"], json!("1m"));
        assert_eq!(metrics[1]["requestRate"]["counter"], json!("c"));
    }

    #[test]
    fn entries_of_a_schedule_merge_by_name_and_their_start_replaces_whole() {
        let mut base = base();
        base["workloads"][0]["schedules"] = json!([
            {"name": "hours", "schedule": "30 6 * * Mon-Fri", "duration": "13h", "timeZone": "UTC", "minReplicas": 8,
                "except": ["2026-12-25", "2026-12-26"]},
            {"name": "night", "schedule": "0 22 * * *", "duration": "8h", "timeZone": "UTC", "minReplicas": 1},
        ]);
        let over = json!({"workloads": [{"name": "api", "schedules": [
            {"name": "launch", "at": "2026-12-01T08:00"},
            {"name": "hours", "at": "2026-12-02T08:00", "maxReplicas": 20, "except": ["2027-01-01"]},
            {"name": "night", "enabled": false},
        ]}]});
        assert_eq!(
            json_of(&merged(base, over))["workloads"][0]["schedules"],
            json!([
                {"name": "hours", "at": "2026-12-02T08:00", "duration": "13h", "timeZone": "UTC", "minReplicas": 8,
                    "maxReplicas": 20, "except": ["2027-01-01"]},
                {"name": "night", "enabled": false, "schedule": "0 22 * * *", "duration": "8h", "timeZone": "UTC",
                    "minReplicas": 1},
                {"name": "launch", "at": "2026-12-01T08:00"},
            ])
        );
    }

    #[test]
    fn the_source_of_a_metric_replaces_whole() {
        let merged = json_of(&merged(
            base(),
            json!({"workloads": [{"name": "api", "metrics": [
                {"name": "rate", "requestRate": {"counter": "other", "target": {"averageValue": "5"}}},
                {"name": "cpu", "queueDepth": {"gauge": "g", "target": {"averageValue": "50"}}},
            ]}]}),
        ));
        let metrics = &merged["workloads"][0]["metrics"];
        assert_eq!(metrics[1]["requestRate"].get("matchLabels"), None);
        assert_eq!(
            metrics[0].get("resource"),
            None,
            "one kind of source replaces another"
        );
        assert_eq!(metrics[0]["queueDepth"]["gauge"], json!("g"));
    }

    #[test]
    fn behavior_merges_by_field_and_policies_replace_whole() {
        let merged = json_of(&merged(
            base(),
            json!({"workloads": [{"name": "api", "behavior": {
                "scaleUp": {"selectPolicy": "Max"},
                "scaleDown": {"policies": [{"type": "Pods", "value": 3, "periodSeconds": 15}]},
            }}]}),
        ));
        assert_eq!(
            merged["workloads"][0]["behavior"],
            json!({
                "scaleUp": {"selectPolicy": "Max"},
                "scaleDown": {
                    "stabilizationWindowSeconds": 300,
                    "policies": [{"type": "Pods", "value": 3, "periodSeconds": 15}],
                },
            })
        );
    }

    #[test]
    fn vertical_disruption_and_the_parts_of_limits_replace_whole() {
        let mut with_limits = base();
        with_limits["limits"] = json!({
            "limitRange": {"default": {"memory": "1Gi"}, "max": {"memory": "2Gi"}},
            "resourceQuota": {"hard": {"pods": "10"}},
        });
        let merged = json_of(&merged(
            with_limits,
            json!({
                "workloads": [{"name": "api", "vertical": {"enabled": false}, "disruption": {"minAvailable": "50%"}}],
                "limits": {"limitRange": {"max": {"memory": "4Gi"}}},
            }),
        ));
        assert_eq!(merged["workloads"][0]["vertical"], json!({"enabled": false}));
        assert_eq!(
            merged["workloads"][0]["disruption"],
            json!({"minAvailable": "50%"})
        );
        assert_eq!(
            merged["limits"],
            json!({"limitRange": {"max": {"memory": "4Gi"}}, "resourceQuota": {"hard": {"pods": "10"}}})
        );
    }

    #[test]
    fn an_unknown_environment_names_the_known_ones() {
        let spec: VoiceAssistScalingSpec = serde_json::from_value(
            json!({"workloads": [], "environments": [{"name": "dev"}, {"name": "production"}]}),
        )
        .unwrap();
        assert_eq!(
            resolve(&spec, Some("prod")).unwrap_err().to_string(),
            r#"environment "prod" is not in spec.environments (it has dev, production)"#
        );
    }

    #[test]
    fn without_an_environment_the_base_values_stand() {
        let spec: VoiceAssistScalingSpec = serde_json::from_value(base()).unwrap();
        assert_eq!(resolve(&spec, None).unwrap(), spec);
    }
}
