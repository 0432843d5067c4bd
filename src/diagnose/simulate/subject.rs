//! What is replayed: an HPA, and how each of its metrics follows from the load.
//!
//! Invariant: a metric that does not follow from the load is left out and named with the reason. A metric whose
//! meaning is guessed is named as an assumption.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec};
use vas_api::v1alpha1::{Metric as MetricEntry, ScaleTargetRef, VoiceAssistScaling};
use vas_core::{
    hpa::{Controller, Hpa, Metric, Milli, Requests, Source, Target},
    reconcile::desired::hpa,
    replay::{self, Kind, Millis, Model},
    schedule::Schedules,
    spec::model::{self, Scaling, Series, Workload},
};

/// Where nothing says over which time a rate is a mean: the default of `requestRate`.
const WINDOW: Millis = 60_000;
/// The time over which metrics-server takes the mean of CPU, with its default resolution of 15 s.
const CPU_WINDOW: Millis = 15_000;

/// What a metric stands for, where the user says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Requests per second.
    Rate,
    /// Requests that wait.
    QueueDepth,
    /// Seconds that the oldest of them has waited.
    QueueAge,
}

/// What the user says about the metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// Metrics by name.
    pub metrics: BTreeMap<String, Meaning>,
    /// Core-seconds for one request.
    pub cpu_per_request: Option<f64>,
    /// What each pod requests, in milli-cores.
    pub cpu_request: Option<Milli>,
}

/// An HPA to replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The HPA with the metrics that follow from the load.
    pub model: Model,
    /// The same with the schedule of the workload; `None` if it has none.
    pub scheduled: Option<Model>,
    /// Target of the metric that is a request rate per pod, in requests per second; `None` without one.
    pub target: Option<f64>,
    /// The metrics that follow from the load, by their names in the HPA, and how.
    pub modelled: Vec<(String, Kind)>,
    /// What is guessed about metrics, one sentence each.
    pub assumed: Vec<String>,
    /// Metrics that are left out, with the reason.
    pub left_out: Vec<String>,
    /// What counts the requests; `None` for a plain HPA, and a workload without a `requestRate`.
    pub counted: Option<Counted>,
}

/// The series that counts the requests of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Namespace of the resource; empty where a file names none.
    pub namespace: String,
    /// Whose pods answer the requests.
    pub target: ScaleTargetRef,
    /// The series of the first metric that is a request rate.
    pub series: Series,
}

/// Why nothing can be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Several workloads could be meant.
    #[error("it has several workloads, {0}: name one with --workload")]
    Several(String),
    /// The resource has no such workload.
    #[error("it has no workload {wanted:?}; it has {there}")]
    Workload {
        /// The name that was asked for.
        wanted: String,
        /// The names that there are.
        there: String,
    },
    /// The workload has no HPA.
    #[error("the workload {0} has no metrics, so it has no HPA")]
    NoHpa(String),
    /// No metric follows from the load.
    #[error("none of its metrics follows from the load:\n{}", .0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
    NoModel(Vec<String>),
    /// The user says something about a metric that is not there.
    #[error("--metric {0}: the HPA has no such metric; it has {1}")]
    NoMetric(String, String),
}

/// The HPA of a workload; `None` means the only workload.
///
/// # Errors
/// When there is no such workload, or nothing of it follows from the load.
pub fn of_workload(
    scaling: &Scaling,
    resource: &VoiceAssistScaling,
    wanted: Option<&str>,
    hints: &Hints,
) -> Result<Subject, SubjectError> {
    let workload = chosen(scaling, wanted)?;
    if !workload.has_hpa() {
        return Err(SubjectError::NoHpa(workload.name.clone()));
    }
    // A replay asks what the rules do, also while they are switched off. The bounds are those of no moment.
    let plain = Workload {
        suspended: false,
        schedules: Schedules::default(),
        ..workload.clone()
    };
    let object = hpa::build(scaling, &plain, Timestamp::UNIX_EPOCH, None);
    let kinds = |name: &str| known(workload, resource, name);
    let found = subject(&object, &kinds, hints)?;
    let schedules = (!workload.schedules.is_empty()).then(|| workload.schedules.clone());
    Ok(Subject {
        scheduled: schedules.map(|schedules| found.model.clone().scheduled(workload.base, schedules)),
        counted: counted(scaling, workload),
        ..found
    })
}

/// The HPA that is live for a workload, whatever the resource asks for. What its metrics mean is in the resource.
///
/// # Errors
/// As [`of_workload`].
pub fn of_live(
    hpa: &HorizontalPodAutoscaler,
    scaling: &Scaling,
    resource: &VoiceAssistScaling,
    wanted: Option<&str>,
    hints: &Hints,
) -> Result<Subject, SubjectError> {
    let workload = chosen(scaling, wanted)?;
    subject(hpa, &|name| known(workload, resource, name), hints)
}

/// The workload of this name; `None` means the only one.
pub(super) fn chosen<'a>(scaling: &'a Scaling, wanted: Option<&str>) -> Result<&'a Workload, SubjectError> {
    let there = || {
        let names: Vec<&str> = scaling.workloads.iter().map(|one| one.name.as_str()).collect();
        names.join(", ")
    };
    match (wanted, scaling.workloads.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(SubjectError::Several(there())),
        (Some(wanted), all) => {
            let found = all.iter().find(|one| one.name == wanted);
            found.ok_or_else(|| SubjectError::Workload {
                wanted: wanted.to_owned(),
                there: there(),
            })
        }
    }
}

fn counted(scaling: &Scaling, workload: &Workload) -> Option<Counted> {
    let mut series = workload.prometheus_metrics().map(|(_, metric)| &metric.series);
    let series = series.find(|series| matches!(series, Series::RequestRate { .. }))?;
    Some(Counted {
        namespace: scaling.key.namespace.clone(),
        target: workload.target.clone(),
        series: series.clone(),
    })
}

/// A plain HPA. A Pods metric is taken for requests per second unless the user says otherwise.
///
/// # Errors
/// When none of its metrics follows from the load.
pub fn of_hpa(object: &HorizontalPodAutoscaler, hints: &Hints) -> Result<Subject, SubjectError> {
    subject(object, &|_| None, hints)
}

/// What the resource says about one of its metrics from Prometheus.
fn known(workload: &Workload, resource: &VoiceAssistScaling, name: &str) -> Option<Kind> {
    let metric = workload.metrics.iter().find(|metric| metric.name == name)?;
    let model::Source::Prometheus(prometheus) = &metric.source else {
        return None;
    };
    match &prometheus.series {
        Series::RequestRate { window, .. } => Some(Kind::Rate {
            window: replay::millis(*window),
        }),
        Series::Gauge { .. } => {
            let mut entries = entries(resource, &workload.name).filter(|entry| entry.name == name);
            // An environment may change the source of a metric, but not what the metric is.
            entries.find_map(|entry| match (&entry.queue_depth, &entry.queue_age) {
                (Some(_), _) => Some(Kind::QueueDepth),
                (None, Some(_)) => Some(Kind::QueueAge),
                (None, None) => None,
            })
        }
        Series::PodGauge { .. } | Series::PodQuery { .. } | Series::Query { .. } => None,
    }
}

/// The metrics of a workload as they are written, those of the active environment first.
fn entries<'a>(resource: &'a VoiceAssistScaling, workload: &'a str) -> impl Iterator<Item = &'a MetricEntry> {
    let spec = &resource.spec;
    let environments = spec.environments.iter().flatten();
    let active = environments.filter(|one| Some(&one.name) == spec.environment.as_ref());
    let changed = active.flat_map(|one| one.workloads.iter().flatten());
    let changed = changed.filter(move |one| one.name == workload);
    let base = spec.workloads.iter().filter(move |one| one.name == workload);
    let changed = changed.flat_map(|one| one.metrics.iter().flatten());
    changed.chain(base.flat_map(|one| one.metrics.iter().flatten()))
}

fn subject(
    object: &HorizontalPodAutoscaler,
    known: &dyn Fn(&str) -> Option<Kind>,
    hints: &Hints,
) -> Result<Subject, SubjectError> {
    let read = Hpa::read(object, &Controller::default());
    let specs: Vec<&MetricSpec> = object.spec.metrics.iter().flatten().collect();
    let names: Vec<&str> = specs.iter().map(|spec| name(spec)).collect();
    if let Some(unknown) = hints.metrics.keys().find(|hint| !names.contains(&hint.as_str())) {
        return Err(SubjectError::NoMetric(unknown.clone(), names.join(", ")));
    }
    let (mut assumed, mut left_out, mut target) = (Vec::new(), Vec::new(), None);
    let (mut kinds, mut modelled) = (Vec::new(), Vec::new());
    for (position, metric) in read.metrics.iter().enumerate() {
        // An HPA without metrics has the one that the API server fills in.
        let name = names.get(position).copied().unwrap_or("cpu");
        let kind = match metric {
            Err(refused) => Err(refused.to_string()),
            Ok(metric) => kind(metric, name, known(name), hints, &mut assumed),
        };
        if let (Ok(Kind::Rate { .. }), Ok(metric)) = (&kind, metric) {
            target = target.or(per_pod(metric));
        }
        modelled.extend(kind.as_ref().ok().map(|kind| (name.to_owned(), *kind)));
        kinds.push(kind.map_err(|why| left_out.push(format!("{name}: {why}"))).ok());
    }
    let request = hints.cpu_request.map_or_else(Requests::default, |request| {
        Requests::container("main", &[("cpu", request)])
    });
    match Model::new(read, kinds, request) {
        Ok(model) => Ok(Subject {
            model,
            scheduled: None,
            counted: None,
            target,
            modelled,
            assumed,
            left_out,
        }),
        Err(_) => Err(SubjectError::NoModel(left_out)),
    }
}

/// How a metric follows from the load, or why it does not.
fn kind(
    metric: &Metric,
    name: &str,
    known: Option<Kind>,
    hints: &Hints,
    assumed: &mut Vec<String>,
) -> Result<Kind, String> {
    let rate = Kind::Rate { window: WINDOW };
    if let Some(meaning) = hints.metrics.get(name) {
        let per_pod = matches!(metric.source, Source::Pods);
        return match meaning {
            Meaning::Rate => Ok(known
                .filter(|kind| matches!(kind, Kind::Rate { .. }))
                .unwrap_or(rate)),
            Meaning::QueueDepth | Meaning::QueueAge if per_pod => {
                Err("a queue in front of all pods has no value for each pod".to_owned())
            }
            Meaning::QueueDepth => Ok(Kind::QueueDepth),
            Meaning::QueueAge => Ok(Kind::QueueAge),
        };
    }
    if let Some(kind) = known {
        return Ok(kind);
    }
    match &metric.source {
        Source::Resource { resource } | Source::ContainerResource { resource, .. } if resource == "cpu" => {
            let per_request = hints.cpu_per_request;
            let per_request = per_request.ok_or("CPU follows from the load with --cpu-per-request alone")?;
            if matches!(metric.target, Target::Utilization(_)) && hints.cpu_request.is_none() {
                return Err(
                    "its target is a percentage of what pods request: say that with --cpu-request".to_owned(),
                );
            }
            if matches!(metric.source, Source::ContainerResource { .. }) {
                return Err("the share of one container is not known".to_owned());
            }
            Ok(Kind::Cpu {
                per_request,
                window: CPU_WINDOW,
            })
        }
        Source::Resource { resource } | Source::ContainerResource { resource, .. } => {
            Err(format!("{resource} does not follow from requests per second"))
        }
        Source::Pods => {
            assumed.push(format!(
                "The metric {name} is requests per second over {} s; --metric {name}=… says otherwise.",
                WINDOW / 1000
            ));
            Ok(rate)
        }
        Source::Object | Source::External => Err(format!(
            "nothing says what it is: --metric {name}=rate, {name}=queueDepth or {name}=queueAge does"
        )),
    }
}

/// Requests per second that one pod should have.
fn per_pod(metric: &Metric) -> Option<f64> {
    match metric.target {
        #[expect(clippy::cast_precision_loss, reason = "a target has few digits")]
        Target::AverageValue(milli) => Some(milli as f64 / 1000.0),
        Target::Utilization(_) | Target::Value(_) => None,
    }
}

fn name(spec: &MetricSpec) -> &str {
    let resource = spec.resource.as_ref().map(|one| one.name.as_str());
    let container = spec.container_resource.as_ref().map(|one| one.name.as_str());
    let pods = spec.pods.as_ref().map(|one| one.metric.name.as_str());
    let object = spec.object.as_ref().map(|one| one.metric.name.as_str());
    let external = spec.external.as_ref().map(|one| one.metric.name.as_str());
    let named = resource.or(container).or(pods).or(object).or(external);
    named.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use vas_core::spec::rules::document;

    use super::*;

    const RESOURCE: &str = "
apiVersion: scaling.voiceassist.io/v1alpha1
kind: VoiceAssistScaling
metadata: {name: shop, namespace: shop}
spec:
  environment: production
  workloads:
  - name: web
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
    minReplicas: 2
    maxReplicas: 20
    suspend: true
    metrics:
    - {name: cpu, resource: {name: cpu, target: {averageUtilization: 60}}}
    - {name: rate, requestRate: {counter: http_requests_total, window: 2m, target: {averageValue: '50'}}}
    - {name: depth, queueDepth: {gauge: queue_depth, target: {averageValue: '10'}}}
    - {name: age, queueAge: {gauge: queue_age_seconds, target: {value: '30'}}}
    - {name: own, prometheus: {query: 'sum(x)', target: {value: '30'}}}
    schedules:
    - {name: day, schedule: '0 8 * * *', duration: 8h, timeZone: Europe/Berlin, minReplicas: 5}
  - name: idle
    scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: idle}
    disruption: {maxUnavailable: 1}
  environments:
  - name: production
    workloads:
    - name: web
      metrics:
      - {name: rate, requestRate: {counter: http_requests_total, window: 2m, target: {averageValue: '70'}}}
";

    fn of(wanted: Option<&str>, hints: &Hints) -> Result<Subject, SubjectError> {
        let value: Value = serde_saphyr::from_str(RESOURCE).unwrap();
        let document = document::check(&value, None);
        let scaling = document
            .validation
            .scaling
            .unwrap_or_else(|| panic!("{:?}", document.validation.violations));
        of_workload(&scaling, &document.object.unwrap(), wanted, hints)
    }

    #[test]
    fn the_metrics_of_a_resource_are_what_it_says_and_the_rest_is_left_out_with_the_flag_to_use() {
        let subject = of(Some("web"), &Hints::default()).unwrap();
        assert_eq!(subject.target, Some(70.0), "of the environment");
        assert_eq!(subject.model.hpa().metrics.len(), 3, "rate, depth and age");
        assert_eq!(subject.assumed, [""; 0]);
        let scheduled = subject.scheduled.unwrap();
        assert_eq!(
            scheduled.hpa().min,
            2,
            "the base, which the schedule changes while it is replayed"
        );
        let left = subject.left_out.join("\n");
        assert!(
            left.contains("cpu: CPU follows from the load with --cpu-per-request alone"),
            "{left}"
        );
        assert!(
            left.contains("own: nothing says what it is: --metric own=rate"),
            "{left}"
        );
        let hints = Hints {
            metrics: [("own".to_owned(), Meaning::QueueDepth)].into(),
            cpu_per_request: Some(0.005),
            cpu_request: Some(500),
        };
        let subject = of(Some("web"), &hints).unwrap();
        assert_eq!(
            (subject.model.hpa().metrics.len(), subject.left_out.len()),
            (5, 0)
        );
        let behavior = subject.model.hpa().behavior.as_ref().unwrap();
        assert_ne!(
            behavior.up.select,
            vas_core::hpa::Select::Disabled,
            "the rules as if they were not suspended"
        );
    }

    #[test]
    fn what_cannot_be_replayed_is_told_with_what_there_is() {
        let error = |wanted, hints: &Hints| of(wanted, hints).unwrap_err().to_string();
        let none = Hints::default();
        assert!(error(None, &none).contains("several workloads, web, idle: name one with --workload"));
        assert!(error(Some("wep"), &none).contains("no workload \"wep\""));
        assert!(error(Some("idle"), &none).contains("has no metrics"));
        let hints = Hints {
            metrics: [("nope".to_owned(), Meaning::Rate)].into(),
            ..Hints::default()
        };
        assert!(
            error(Some("web"), &hints)
                .contains("--metric nope: the HPA has no such metric; it has cpu, rate")
        );
    }

    #[test]
    fn a_plain_hpa_without_metrics_is_one_on_cpu() {
        let object: HorizontalPodAutoscaler =
            serde_saphyr::from_str("spec: {maxReplicas: 5, scaleTargetRef: {kind: Deployment, name: web}}")
                .unwrap();
        let error = of_hpa(&object, &Hints::default()).unwrap_err().to_string();
        assert!(
            error.contains("cpu: CPU follows from the load with --cpu-per-request"),
            "{error}"
        );
        let hints = Hints {
            cpu_per_request: Some(0.01),
            ..Hints::default()
        };
        assert!(
            of_hpa(&object, &hints)
                .unwrap_err()
                .to_string()
                .contains("--cpu-request")
        );
        let hints = Hints {
            cpu_request: Some(100),
            ..hints
        };
        assert!(of_hpa(&object, &hints).is_ok());
    }
}
