//! Explains each workload: the proposal of each metric, the metric that decides, and what limits the
//! decision.

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use super::{
    Observed, ObservedWorkload, Settings, Unanswered,
    ask::hpa_of,
    memory::{foretell, memories, reason},
    metric,
    report::{
        ConditionLine, DecisionReport, DirectionReport, Explanation, HpaReport, Replicas, WorkloadReport,
    },
    words::{self, Facts},
};
use vas_api::condition::READY;
use vas_core::hpa::{self, Cohort, Decision, Hpa, Pod, Scale, Selector, Sync, down_limit, up_limit};

/// Explains a resource as of `now`.
pub fn explain(observed: &Observed, settings: &Settings, now: Timestamp) -> Explanation {
    let object = &observed.object;
    let status = object.status.as_ref();
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    let mut notes = Vec::new();
    let resource = &observed.resource;
    if status.is_none_or(|status| status.observed_generation < Some(resource.generation)) {
        notes.push(
            "the operator has not looked at the last edit of this resource yet; is it running?".to_owned(),
        );
    }
    Explanation {
        name: resource.name.clone(),
        environment: object.spec.environment.clone(),
        conditions: conditions
            .iter()
            .filter(|condition| condition.status != "True" && condition.type_ != READY)
            .map(|condition| ConditionLine {
                type_: condition.type_.clone(),
                status: condition.status.clone(),
                reason: condition.reason.clone(),
                message: condition.message.clone(),
            })
            .collect(),
        notes,
        workloads: observed
            .workloads
            .iter()
            .map(|workload| explain_workload(workload, &resource.namespace, settings, now))
            .collect(),
        namespace: resource.namespace.clone(),
    }
}

fn explain_workload(
    observed: &ObservedWorkload,
    namespace: &str,
    settings: &Settings,
    now: Timestamp,
) -> WorkloadReport {
    let asked = &observed.asked;
    let workload = asked.valid.as_ref().map(|valid| &valid.0);
    let mut report = WorkloadReport {
        name: asked.name.clone(),
        target: format!("{}/{}", asked.target.kind, asked.target.name),
        hpa: hpa_report(observed),
        replicas: None,
        schedule: asked.schedule.clone(),
        suspended: workload.is_some_and(|workload| workload.suspended),
        metrics: Vec::new(),
        scale_up: None,
        scale_down: None,
        decision: None,
        notes: notes(observed),
        summary: String::new(),
    };
    let known = match known(observed) {
        Ok(known) => known,
        Err(why) => {
            report.summary = format!("{}: cannot say: {why}.", asked.name);
            return report;
        }
    };
    let Known {
        object,
        current,
        status,
        pods,
        cohorts,
    } = known;
    let hpa = Hpa::read(object, &settings.controller);
    let mut sync = Sync {
        hpa: &hpa,
        controller: &settings.controller,
        scale: Scale {
            replicas: current,
            status,
            selector: if reason(object, "ScalingActive") == Some("AmbiguousSelector") {
                Selector::Ambiguous
            } else {
                Selector::Valid
            },
        },
        cohorts: &cohorts,
        answers: &[],
        now,
    };
    // Answers and metrics of the HPA are in the order of its spec, so the position connects them.
    let metrics: Vec<_> = object.spec.metrics.iter().flatten().collect();
    let (mut answers, mut forbidden) = (Vec::new(), Vec::new());
    for (position, spec) in metrics.into_iter().enumerate() {
        let answer = observed.answers.get(position);
        let metric = hpa.metrics.get(position);
        let entry = workload.and_then(|workload| metric::entry_of(spec, workload));
        let query = entry.and_then(|entry| metric::query(entry, namespace, settings));
        let mut line = metric::report(spec, entry, query);
        let judged = metric::judge(&mut line, &hpa, metric, answer, &pods, &sync.world());
        match judged {
            Ok(reading) => answers.push(Some(reading)),
            Err(unanswered) => {
                if let Unanswered::Forbidden(_) = unanswered {
                    forbidden.push(line.name.clone());
                }
                let (Unanswered::Missing(words) | Unanswered::Forbidden(words)) = unanswered;
                line.error = Some(words);
                answers.push(None);
            }
        }
        report.metrics.push(line);
    }
    let replicas = Replicas {
        current,
        status,
        ready: cohorts
            .iter()
            .filter(|cohort| cohort.pod.is_running_and_ready())
            .count(),
        min: hpa.min,
        max: hpa.max,
    };
    // A metric that the user may not read is not missing for the HPA, so no decision can be derived without
    // it.
    if !forbidden.is_empty() {
        report.replicas = Some(replicas);
        report.summary = format!(
            "{}: cannot say: you may not read {}, which the HPA reads with rights of its own.",
            asked.name,
            forbidden.join(", ")
        );
        return report;
    }
    sync.answers = &answers;
    let (decision, exact) = foretell(&memories(object, &hpa, current, now), &sync);
    if let Some(deciding) = decision.metric.and_then(|metric| report.metrics.get_mut(metric)) {
        deciding.decides = true;
    }
    finish(&mut report, &hpa, &decision, exact, replicas, settings);
    report
}

/// Fills in the limits, the decision and the summary.
fn finish(
    report: &mut WorkloadReport,
    hpa: &Hpa,
    decision: &Decision,
    exact: bool,
    replicas: Replicas,
    settings: &Settings,
) {
    // Without `behavior`, the controller stabilizes downward by its flag and upward not at all.
    let mut windows = (0, settings.controller.downscale_stabilization);
    let mut policies = None;
    if let Some(behavior) = &hpa.behavior {
        let direction = |rules: &hpa::Rules, limit| DirectionReport {
            stabilization_window_seconds: rules.window,
            policies: words::policies(rules),
            limit,
        };
        let up = direction(
            &behavior.up,
            // A limit is never shown beyond `maxReplicas`, nor below the current replicas.
            up_limit(&behavior.up, replicas.current, |_| replicas.current).min(hpa.max.max(replicas.current)),
        );
        let down = direction(
            &behavior.down,
            down_limit(&behavior.down, replicas.current, |_| replicas.current)
                .max(hpa.min.min(replicas.current)),
        );
        windows = (behavior.up.window, behavior.down.window);
        policies = Some((up.policies.clone(), down.policies.clone()));
        (report.scale_up, report.scale_down) = (Some(up), Some(down));
    }
    report.summary = words::summary(&Facts {
        workload: &report.name,
        replicas,
        decision,
        exact,
        metrics: &report.metrics,
        suspended: report.suspended,
        exists: report.hpa.exists,
        windows,
        policies,
    });
    report.replicas = Some(replicas);
    let metric = decision.metric.and_then(|metric| report.metrics.get(metric));
    report.decision = Some(DecisionReport {
        desired: decision.desired,
        cause: decision.cause,
        proposal: decision.proposal,
        metric: metric.map(|metric| metric.name.clone()),
        eventually: decision.eventually,
        exact,
    });
}

/// The reads without which nothing can be explained.
struct Known<'a> {
    object: &'a HorizontalPodAutoscaler,
    current: i32,
    status: i32,
    /// Names of the pods, in the order of the cohorts.
    pods: Vec<String>,
    cohorts: Vec<Cohort>,
}

fn known(observed: &ObservedWorkload) -> Result<Known<'_>, String> {
    if let Err(error) = &observed.hpa {
        return Err(format!("the HPA {} cannot be read: {error}", observed.asked.hpa));
    }
    let object = hpa_of(observed)
        .ok_or("there is no HPA, and the spec of this workload breaks a rule (vas validate)")?;
    let target = || format!("{}/{}", observed.asked.target.kind, observed.asked.target.name);
    let scale = observed
        .scale
        .as_ref()
        .map_err(|error| format!("the scale of {} cannot be read: {error}", target()))?;
    let pods = observed
        .pods
        .as_ref()
        .map_err(|error| format!("the pods of {} cannot be read: {error}", target()))?;
    let (pods, cohorts) = pods
        .iter()
        .filter_map(|pod| {
            let cohort = Cohort {
                pod: Pod::read(pod),
                count: 1,
            };
            Some((pod.metadata.name.clone()?, cohort))
        })
        .unzip();
    Ok(Known {
        object,
        current: scale
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or_default(),
        status: scale.status.as_ref().map_or(0, |status| status.replicas),
        pods,
        cohorts,
    })
}

fn notes(observed: &ObservedWorkload) -> Vec<String> {
    let asked = &observed.asked;
    let mut notes = Vec::new();
    if asked.valid.is_none() {
        notes.push(
            "the spec of this workload breaks a rule, so its HPA stays as it was; see vas validate"
                .to_owned(),
        );
    }
    if matches!(observed.hpa, Ok(None)) {
        notes.push(format!(
            "there is no HPA {}; the conditions of the resource say why",
            asked.hpa
        ));
    }
    if let Some(words) = &asked.suspended {
        notes.push(format!("suspended: {words}"));
    }
    for metric in &asked.disabled_metrics {
        notes.push(format!("{metric} is switched off in the spec (enabled: false)"));
    }
    notes
}

fn hpa_report(observed: &ObservedWorkload) -> HpaReport {
    let live = observed.hpa.as_ref().ok().and_then(Option::as_ref);
    let status = live.and_then(|live| live.status.as_ref());
    let conditions = status
        .and_then(|status| status.conditions.as_deref())
        .unwrap_or_default();
    HpaReport {
        name: observed.asked.hpa.clone(),
        exists: live.is_some(),
        last_scale_time: status
            .and_then(|status| status.last_scale_time.as_ref())
            .map(|time| time.0),
        conditions: conditions
            .iter()
            .map(|condition| ConditionLine {
                type_: condition.type_.clone(),
                status: condition.status.clone(),
                reason: condition.reason.clone().unwrap_or_default(),
                message: condition.message.clone().unwrap_or_default(),
            })
            .collect(),
    }
}
