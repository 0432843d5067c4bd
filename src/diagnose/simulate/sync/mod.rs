//! One sync of the HPA controller, in a situation that a document describes.
//!
//! ```text
//! document  the types of the file
//! memory    the controller's memory, with ages instead of times
//! report    the types of the output
//! ```

mod document;
mod memory;
mod report;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use k8s_openapi::api::{
    autoscaling::{
        v1,
        v2::{HorizontalPodAutoscaler, MetricSpec},
    },
    core,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use vas_core::hpa::{
    Cohort, Hpa, Metric, Pod, Reading, RefusedMetric, Scale, Selector, State, Sync, World, answer, propose,
    step,
};

pub use document::{Document, Flags, Gates};
pub use memory::{Event, Memory, Recommendation};
pub use report::{Condition, MetricReport, Report};

/// Why a document describes no sync.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The document has another form.
    #[error("{0}")]
    Document(serde_json::Error),
    /// A Kubernetes object in it has another form.
    #[error("{field}: {source}")]
    Object {
        /// Where the object stands.
        field: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Each metric has one answer.
    #[error("answers: {answers} for {metrics} metrics; each metric of the HPA needs one, in their order")]
    Answers {
        /// How many there are.
        answers: usize,
        /// How many metrics the HPA has.
        metrics: usize,
    },
    /// An age is negative, no number, or too large.
    #[error("{field}: not an age in seconds")]
    Age {
        /// Where the age stands.
        field: &'static str,
    },
}

/// Reads a document of `vas simulate sync`.
///
/// # Errors
/// When the document has a field that is not known, lacks one, or has a value of another type.
pub fn read(document: Value) -> Result<Document, SyncError> {
    serde_json::from_value(document).map_err(SyncError::Document)
}

/// The JSON schema of the documents.
pub fn document_schema() -> Value {
    schemars::schema_for!(Document).into()
}

/// The JSON schema of the output.
pub fn report_schema() -> Value {
    let settings = schemars::generate::SchemaSettings::default().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().into()
}

/// Runs the sync that a document describes. `now` is the moment of it unless the document names one.
///
/// # Errors
/// When the document describes none.
pub fn run(document: &Document, now: Timestamp) -> Result<Report, SyncError> {
    let object: HorizontalPodAutoscaler = object("hpa", &document.hpa)?;
    let scale: v1::Scale = self::object("scale", &document.scale)?;
    let controller = document.controller.read(document.feature_gates);
    let hpa = Hpa::read(&object, &controller);
    if document.answers.len() != hpa.metrics.len() {
        return Err(SyncError::Answers {
            answers: document.answers.len(),
            metrics: hpa.metrics.len(),
        });
    }
    let (names, cohorts) = pods(&document.pods)?;
    let now = document.now.unwrap_or(now);
    let mut state = document.state.read(now)?;
    state.scaled_to_zero = report::status_of(&object, "ScaledToZero");
    let mut sync = Sync {
        hpa: &hpa,
        controller: &controller,
        scale: scale_of(&scale, document.other_hpa_selects_pods),
        cohorts: &cohorts,
        answers: &[],
        now,
    };
    let mut lines = Vec::new();
    let mut readings = Vec::new();
    let specs = object.spec.metrics.as_deref().unwrap_or_default();
    for (position, (metric, answer)) in hpa.metrics.iter().zip(&document.answers).enumerate() {
        let (line, reading) = one_metric(&hpa, specs.get(position), metric, answer, &names, &sync.world());
        lines.push(line);
        readings.push(reading);
    }
    sync.answers = &readings;
    Ok(finish(&object, &sync, lines, &mut state))
}

fn object<T: DeserializeOwned>(field: &str, value: &Value) -> Result<T, SyncError> {
    T::deserialize(value).map_err(|source| SyncError::Object {
        field: field.to_owned(),
        source,
    })
}

/// The names of the pods, and each as a cohort of one.
fn pods(pods: &[Value]) -> Result<(Vec<String>, Vec<Cohort>), SyncError> {
    let mut named = (Vec::new(), Vec::new());
    for (position, pod) in pods.iter().enumerate() {
        let pod: core::v1::Pod = object(&format!("pods[{position}]"), pod)?;
        named.1.push(Cohort {
            pod: Pod::read(&pod),
            count: 1,
        });
        named.0.push(pod.metadata.name.unwrap_or_default());
    }
    Ok(named)
}

fn scale_of(scale: &v1::Scale, shared: bool) -> Scale {
    let status = scale.status.as_ref();
    let selector = status
        .and_then(|status| status.selector.as_deref())
        .unwrap_or_default();
    let replicas = scale.spec.as_ref().and_then(|spec| spec.replicas);
    Scale {
        replicas: replicas.unwrap_or_default(),
        status: status.map_or(0, |status| status.replicas),
        selector: if selector.is_empty() {
            Selector::Invalid
        } else if shared {
            Selector::Ambiguous
        } else {
            Selector::Valid
        },
    }
}

/// What one metric makes of its answer alone. An answer is that of the metrics API, or `{error: TEXT}`.
fn one_metric(
    hpa: &Hpa,
    spec: Option<&MetricSpec>,
    metric: &Result<Metric, RefusedMetric>,
    answer: &Value,
    pods: &[String],
    world: &World<'_>,
) -> (MetricReport, Option<Reading>) {
    let line = MetricReport::new(spec);
    let metric = match metric {
        Ok(metric) => metric,
        Err(refused) => return (line.failed(refused), None),
    };
    if let Some(error) = answer.get("error").filter(|_| answer.get("items").is_none()) {
        let words = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
        return (line.failed(&words), None);
    }
    let reading = match answer::read(metric, answer, pods) {
        Ok(answer) => answer.reading,
        Err(error) => return (line.failed(&error), None),
    };
    let line = match propose(hpa, metric, &reading, world) {
        Ok(proposal) => line.proposes(&proposal),
        Err(error) => line.failed(&error),
    };
    (line, Some(reading))
}

fn finish(
    object: &HorizontalPodAutoscaler,
    sync: &Sync<'_>,
    mut metrics: Vec<MetricReport>,
    state: &mut State,
) -> Report {
    let decision = step(state, sync);
    if let Some(metric) = decision.metric.and_then(|metric| metrics.get_mut(metric)) {
        metric.decides = true;
    }
    Report {
        version: report::VERSION,
        current: sync.scale.replicas,
        desired: decision.desired,
        reason: decision.cause,
        proposal: decision.proposal,
        eventually: decision.eventually,
        metrics,
        conditions: report::conditions(object, decision.conditions, state.scaled_to_zero),
        state: Memory::of(state, sync.now),
    }
}
