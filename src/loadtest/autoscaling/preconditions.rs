//! Decides whether an autoscaling test can be trusted, before any load is sent.

use k8s_openapi::api::{autoscaling::v2::HorizontalPodAutoscaler, core::v1::ResourceQuota};

use super::ratio;
use vas_core::{
    k8s::quota::{self, AtMost, Quota},
    reconcile::{observed::PodTemplate, suspend::is_frozen},
};

/// The state of a workload before a test.
#[derive(Clone, Debug)]
pub struct Found {
    /// The HPA of the workload.
    pub hpa: HorizontalPodAutoscaler,
    /// Replicas in the spec of the scale target.
    pub current: u32,
    /// Number of all pods, and of the Ready ones.
    pub pods: (u32, u32),
    /// Metrics of the metrics APIs that could not be read: name and error.
    pub unread: Vec<(String, String)>,
    /// ResourceQuotas of the namespace.
    pub quotas: Vec<ResourceQuota>,
    /// Pod template of the scale target, if it has one.
    pub template: Option<PodTemplate>,
}

/// Something that makes the test worthless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The problem and its fix, in words for the user.
    pub words: String,
    /// Whether it may pass by itself in a short time.
    pub passing: bool,
}

/// Everything that prevents a test which wants this many replicas.
pub fn blockers(found: &Found, wanted: u32) -> Vec<Blocker> {
    let name = found.hpa.metadata.name.as_deref().unwrap_or_default();
    let mut blockers = Vec::new();
    if is_frozen(&found.hpa) {
        blockers.push(lasting(format!(
            "HorizontalPodAutoscaler {name} is suspended: see who holds it with kubectl get vas -o wide, and end that with vas resume or suspend: false"
        )));
    }
    blockers.extend(conditions(&found.hpa, name));
    blockers.extend(metrics(found, name));
    blockers.extend(replicas(found, name, wanted));
    blockers.extend(room(found, wanted));
    blockers
}

fn conditions(hpa: &HorizontalPodAutoscaler, name: &str) -> Vec<Blocker> {
    let status = hpa.status.as_ref();
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    ["AbleToScale", "ScalingActive"]
        .into_iter()
        .filter_map(|kind| {
            let condition = conditions.iter().find(|condition| condition.type_ == kind);
            match condition {
                Some(condition) if condition.status == "True" => None,
                Some(condition) => Some(passing(format!(
                    "HorizontalPodAutoscaler {name} is not {kind}: {}",
                    condition.message.as_deref().unwrap_or_default()
                ))),
                None => Some(passing(format!(
                    "HorizontalPodAutoscaler {name} has no condition {kind}: is kube-controller-manager running?"
                ))),
            }
        })
        .collect()
}

/// Problems of metrics: a metric without a value takes no part in scaling up, and blocks scaling down.
fn metrics(found: &Found, name: &str) -> Vec<Blocker> {
    let unread = found.unread.iter().map(|(metric, why)| {
        passing(format!(
            "metric {metric} of HorizontalPodAutoscaler {name} cannot be read: {why}; vas doctor says more"
        ))
    });
    // A metric that could not be read at all is reported once, with the better reason.
    let silent = ratio::of_status(&found.hpa)
        .into_iter()
        .filter(|(metric, ratio)| ratio.is_none() && !found.unread.iter().any(|(unread, _)| unread == metric))
        .map(|(metric, _)| {
            passing(format!(
                "HorizontalPodAutoscaler {name} shows no value of its metric {metric}: vas explain says more"
            ))
        });
    unread.chain(silent).collect()
}

fn replicas(found: &Found, name: &str, wanted: u32) -> Vec<Blocker> {
    let bound = |replicas: i32| u32::try_from(replicas).unwrap_or(0);
    let max = bound(found.hpa.spec.max_replicas);
    let desired = found
        .hpa
        .status
        .as_ref()
        .map_or(0, |status| bound(status.desired_replicas));
    let mut blockers = Vec::new();
    if wanted > max {
        blockers.push(lasting(format!(
            "{wanted} replicas are more than maxReplicas {max} of HorizontalPodAutoscaler {name}"
        )));
    }
    let (all, ready) = found.pods;
    // Desired replicas, replicas in the spec, pods and Ready pods must agree; otherwise a rescale is in
    // progress.
    if (desired, ready, all) != (found.current, found.current, found.current) {
        blockers.push(passing(format!(
            "replicas are not steady: {desired} are wanted, {} asked for, {ready} of {all} pods are Ready",
            found.current
        )));
    } else if found.current >= wanted {
        blockers.push(passing(format!(
            "there are {} replicas already, and the test is to show {wanted}: wait until the load is gone, or ask for more with --replicas",
            found.current
        )));
    }
    blockers
}

/// The problem of too small quotas. Only the limits count, not the present use by others, as in the
/// operator's own condition.
fn room(found: &Found, wanted: u32) -> Option<Blocker> {
    let quotas: Vec<Quota> = found
        .quotas
        .iter()
        .map(|quota| Quota {
            name: quota.metadata.name.clone().unwrap_or_default(),
            hard: quota
                .spec
                .as_ref()
                .and_then(|spec| spec.hard.clone())
                .unwrap_or_default(),
        })
        .collect();
    let requests = &found.template.as_ref()?.requests;
    let most = AtMost {
        replicas: i32::try_from(wanted).unwrap_or(i32::MAX),
        requests,
    };
    let quota::Shortage { allowed, needed } = quota::shortage(&quotas, &[most])?;
    Some(lasting(format!(
        "there is no room for {wanted} replicas: {allowed}, and they need {needed}"
    )))
}

fn lasting(words: String) -> Blocker {
    Blocker {
        words,
        passing: false,
    }
}

fn passing(words: String) -> Blocker {
    Blocker { words, passing: true }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found() -> Found {
        let hpa = json!({
            "metadata": {"name": "voice-api"},
            "spec": {"minReplicas": 2, "maxReplicas": 10, "scaleTargetRef": {"kind": "Deployment", "name": "api"}, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "rate"}, "target": {"type": "AverageValue", "averageValue": "100"}}}]},
            "status": {"desiredReplicas": 2, "currentReplicas": 2,
                "conditions": [{"type": "AbleToScale", "status": "True"}, {"type": "ScalingActive", "status": "True"}],
                "currentMetrics": [{"type": "Pods", "pods": {"metric": {"name": "rate"}, "current": {"averageValue": "0"}}}]},
        });
        Found {
            hpa: serde_json::from_value(hpa).unwrap(),
            current: 2,
            pods: (2, 2),
            unread: Vec::new(),
            quotas: Vec::new(),
            template: None,
        }
    }

    fn words(found: &Found) -> String {
        let blockers = blockers(found, 10);
        let words: Vec<String> = blockers.into_iter().map(|blocker| blocker.words).collect();
        words.join("\n")
    }

    #[test]
    fn a_steady_workload_with_all_its_metrics_can_be_tested() {
        assert_eq!(words(&found()), "");
    }

    #[test]
    fn every_obstacle_is_told_at_once() {
        let mut blind = found();
        let behavior =
            json!({"scaleUp": {"selectPolicy": "Disabled"}, "scaleDown": {"selectPolicy": "Disabled"}});
        blind.hpa.spec.behavior = serde_json::from_value(behavior).unwrap();
        blind.unread = vec![("rate".to_owned(), "404 Not Found".to_owned())];
        let status = blind.hpa.status.as_mut().unwrap();
        status.current_metrics = None;
        let condition = &mut status.conditions.as_mut().unwrap()[1];
        condition.status = "False".to_owned();
        condition.message = Some("no metrics".to_owned());
        let told = words(&blind);
        for part in [
            "suspended",
            "not ScalingActive: no metrics",
            "rate of HorizontalPodAutoscaler voice-api cannot be read: 404",
        ] {
            assert!(told.contains(part), "{part:?} in {told}");
        }
        assert_eq!(told.lines().count(), 3, "{told}");
    }

    #[test]
    fn replicas_have_to_be_steady_and_fewer_than_wanted() {
        let mut moving = found();
        moving.pods = (3, 2);
        assert!(
            words(&moving).contains("2 of 3 pods are Ready"),
            "{}",
            words(&moving)
        );
        let mut many = found();
        many.current = 10;
        many.pods = (10, 10);
        many.hpa.status.as_mut().unwrap().desired_replicas = 10;
        assert!(words(&many).contains("10 replicas already"), "{}", words(&many));
        let more = blockers(&found(), 11);
        assert!(
            !more[0].passing && more[0].words.contains("maxReplicas 10"),
            "{more:?}"
        );
    }

    #[test]
    fn a_metric_that_the_hpa_shows_no_value_of_and_a_quota_without_room_are_obstacles() {
        let mut silent = found();
        silent.hpa.status.as_mut().unwrap().current_metrics = None;
        assert!(words(&silent).contains("no value of its metric rate"));
        let mut full = found();
        full.template = Some(PodTemplate {
            labels: std::collections::BTreeMap::new(),
            requests: std::collections::BTreeMap::new(),
        });
        let quota = json!({"metadata": {"name": "team"}, "spec": {"hard": {"pods": "9"}}});
        full.quotas = vec![serde_json::from_value(quota).unwrap()];
        assert!(
            words(&full).contains("ResourceQuota team allows pods 9, and they need 10"),
            "{}",
            words(&full)
        );
    }
}
