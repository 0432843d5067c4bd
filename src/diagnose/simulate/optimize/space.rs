//! The fields that are searched: targets of the metrics that follow from the load, `minReplicas`, the stabilization
//! window of scale-down, and the policies of both directions.
//!
//! A place in the space is a position in the list of each field. A field is changed where it is written: in the
//! environment that counts if that has it, else in the base.
//!
//! Pods that cannot carry the load show their capacity and not the load, so a target that is not clearly below the
//! capacity never makes the HPA scale up. No such target is in the space, unless it is the one that is written.

use serde_json::Value;
use vas_api::v1alpha1::{ResourceName, SelectPolicy};
use vas_core::{
    replay::{Assumptions, Kind},
    spec::{
        environment,
        field_path::{FieldPath, Origin},
    },
};

use super::{
    Field,
    patch::{self, Operation},
    saturated::Saturated,
    values::{self, Values},
    written::{Written, set},
};
use crate::simulate::subject;

/// Where metrics of a resource may have their target.
const SOURCES: [&str; 6] = [
    "resource",
    "requestRate",
    "podGauge",
    "queueDepth",
    "queueAge",
    "prometheus",
];
/// Forms of a target.
const FORMS: [&str; 3] = ["averageUtilization", "averageValue", "value"];

/// The fields that are searched.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Space {
    pub(super) dimensions: Vec<Dimension>,
    /// Where `maxReplicas` is: it is not searched, but what is found holds for it alone.
    most: String,
    /// Where each metric has its target, and whether the HPA scales up at the one that is written.
    targets: Vec<(String, bool)>,
    /// What is wrong with what is written, one sentence each.
    pub(super) warnings: Vec<String>,
}

/// A field with its values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dimension {
    field: Field,
    pub(super) values: Values,
}

/// A position in the list of each field.
pub(super) type Place = Vec<usize>;

impl Space {
    /// The space around what is written; `None` if that breaks a rule.
    pub(super) fn of(written: &Written, assumptions: &Assumptions) -> Option<Self> {
        let checked = written.check(&written.document);
        let (scaling, resource) = (checked.validation.scaling?, checked.object?);
        let workload = subject::chosen(&scaling, written.workload.as_deref()).ok()?;
        let subject = subject::of_workload(&scaling, &resource, Some(&workload.name), &written.hints).ok()?;
        let spec = written.document.get("spec")?;
        let active = resource.spec.environment.as_deref();
        let environments = resource.spec.environments.as_deref().unwrap_or_default();
        let position = environments
            .iter()
            .position(|one| Some(one.name.as_str()) == active);
        let origin = Origin::new(spec, position);
        let path = FieldPath::workload(&workload.name);
        let saturated = Saturated {
            assumptions,
            hpa: subject.model.hpa(),
            request: written.hints.cpu_request,
        };
        let (mut dimensions, mut warnings, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |name: String, path: &FieldPath, values: Option<Values>| {
            if let Some(values) = values.filter(|values| values.all.len() > 1) {
                let pointer = origin.locate(path).pointer;
                let field = Field { name, pointer };
                dimensions.push(Dimension { field, values });
            }
        };
        let merged = environment::resolve(&resource.spec, active).ok()?;
        let merged = merged
            .workloads
            .into_iter()
            .find(|one| one.name == workload.name)?;
        for metric in merged.metrics.iter().flatten() {
            let Some(kind) = metric_kind(&subject.modelled, metric) else {
                continue;
            };
            // These types always have a JSON form.
            let shape = serde_json::to_value(metric).ok()?;
            for (source, form) in SOURCES
                .iter()
                .flat_map(|source| FORMS.map(|form| (*source, form)))
            {
                if shape.pointer(&format!("/{source}/target/{form}")).is_none() {
                    continue;
                }
                let target = path
                    .field("metrics")
                    .named(&metric.name)
                    .field(source)
                    .field("target")
                    .field(form);
                let value = written.document.pointer(&origin.locate(&target).pointer);
                let values = value.and_then(|value| target_values(value, form, kind));
                let values = values.map(|mut values| {
                    values.keep(|value| saturated.scales_up(value, form, kind));
                    values
                });
                let scales_up = value.is_none_or(|value| saturated.scales_up(value, form, kind));
                targets.push((origin.locate(&target).pointer, scales_up));
                if let Some(value) = value.filter(|_| !scales_up) {
                    warnings.push(saturated.warning(&metric.name, value));
                }
                add(format!("target of {}", metric.name), &target, values);
            }
        }
        let behavior = path.field("behavior");
        let rules = &workload.behavior;
        // An HPA that never scales down keeps what it once had, so that fewer replicas would only be a different start.
        let least = (rules.scale_down.select_policy != SelectPolicy::Disabled)
            .then(|| values::of_replicas(workload.base.min, workload.base.max));
        add("minReplicas".to_owned(), &path.field("minReplicas"), least);
        if rules.scale_down.select_policy != SelectPolicy::Disabled {
            let down = behavior.field("scaleDown");
            let window = values::of_window(rules.scale_down.stabilization_window_seconds);
            let field = down.field("stabilizationWindowSeconds");
            add("scale-down window".to_owned(), &field, Some(window));
            let policies = values::of_policies(&rules.scale_down, false);
            add(
                "scale-down policies".to_owned(),
                &down.field("policies"),
                Some(policies),
            );
        }
        if rules.scale_up.select_policy != SelectPolicy::Disabled {
            let policies = values::of_policies(&rules.scale_up, true);
            let field = behavior.field("scaleUp").field("policies");
            add("scale-up policies".to_owned(), &field, Some(policies));
        }
        Some(Self {
            dimensions,
            most: origin.locate(&path.field("maxReplicas")).pointer,
            targets,
            warnings,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// Where the resource is now.
    pub(super) fn start(&self) -> Place {
        self.dimensions.iter().map(|one| one.values.start).collect()
    }

    /// How many steps a place is away from the start.
    pub(super) fn distance(&self, place: &[usize]) -> usize {
        let steps = self.dimensions.iter().zip(place);
        steps.map(|(one, at)| one.values.start.abs_diff(*at)).sum()
    }

    /// The places one step away, and two: a step alone may change nothing. In the order of the fields.
    pub(super) fn neighbours(&self, place: &[usize]) -> Vec<Place> {
        let mut found = Vec::new();
        for (position, dimension) in self.dimensions.iter().enumerate() {
            let Some(&at) = place.get(position) else { continue };
            let near = [
                at.checked_sub(1),
                at.checked_add(1),
                at.checked_sub(2),
                at.checked_add(2),
            ];
            let near = near.into_iter().flatten();
            for next in near.filter(|next| *next < dimension.values.all.len()) {
                let mut other = place.to_vec();
                if let Some(one) = other.get_mut(position) {
                    *one = next;
                }
                found.push(other);
            }
        }
        found
    }

    /// Whether the HPA scales up at some target of a place. A target that differs from the written one was taken into the
    /// space because it does.
    pub(super) fn scales_up(&self, place: &[usize]) -> bool {
        let changed = |pointer: &str| {
            let mut dimensions = self.dimensions.iter().zip(place);
            dimensions.any(|(one, at)| one.field.pointer == pointer && one.values.start != *at)
        };
        let mut targets = self.targets.iter();
        targets.any(|(pointer, scales_up)| *scales_up || changed(pointer))
    }

    /// The value of each field.
    pub(super) fn values(&self, place: &[usize]) -> Vec<Value> {
        let each = self.dimensions.iter().zip(place);
        each.map(|(one, at)| one.values.all.get(*at).cloned().unwrap_or_default())
            .collect()
    }

    /// The resource with these values. A field that stays is not touched, so its default is not written out.
    pub(super) fn document(&self, written: &Written, place: &[usize]) -> Value {
        let mut document = written.document.clone();
        for (dimension, at) in self.dimensions.iter().zip(place) {
            if *at == dimension.values.start {
                continue;
            }
            if let Some(value) = dimension.values.all.get(*at) {
                set(&mut document, &dimension.field.pointer, value.clone());
            }
        }
        document
    }

    /// The fields of the base that change at a place, by what they are.
    pub(super) fn changed_in_base(&self, place: &[usize]) -> Vec<&str> {
        let changed = self.dimensions.iter().zip(place);
        changed
            .filter(|(one, at)| {
                one.values.start != **at && !one.field.pointer.starts_with("/spec/environments/")
            })
            .map(|(one, _)| one.field.name.as_str())
            .collect()
    }

    /// The change to these values as a JSON Patch. It tests every field of the space, and `maxReplicas`.
    pub(super) fn patch(&self, written: &Written, place: &[usize]) -> Vec<Operation> {
        let fields = self.dimensions.iter().map(|one| one.field.pointer.as_str());
        let mut tested: Vec<&str> = fields.chain([self.most.as_str()]).collect();
        // Another environment would be another workload. The one of a flag may be any.
        if !written.is_elsewhere() {
            tested.push("/spec/environment");
        }
        // A resource of a cluster counts every change of its spec, also of schedules and of other workloads.
        if written.document.pointer("/metadata/generation").is_some() {
            tested.push("/metadata/generation");
        }
        patch::patch(&written.document, &self.document(written, place), &tested)
    }

    /// The fields in their order.
    pub(super) fn fields(&self) -> Vec<Field> {
        self.dimensions.iter().map(|one| one.field.clone()).collect()
    }
}

/// How a metric of the resource follows from the load; `None` for one that does not.
fn metric_kind(modelled: &[(String, Kind)], metric: &vas_api::v1alpha1::Metric) -> Option<Kind> {
    // In the HPA a resource metric has the name of the resource.
    let name = match metric.resource.as_ref().map(|resource| resource.name) {
        Some(ResourceName::Cpu) => "cpu",
        Some(ResourceName::Memory) => "memory",
        None => metric.name.as_str(),
    };
    let found = modelled.iter().find(|(known, _)| known == name);
    found.map(|(_, kind)| *kind)
}

fn target_values(written: &Value, form: &str, kind: Kind) -> Option<Values> {
    if form == "averageUtilization" {
        let percent = written.as_i64().and_then(|percent| i32::try_from(percent).ok());
        return percent.map(values::of_percent);
    }
    let wide = matches!(kind, Kind::QueueDepth | Kind::QueueAge);
    values::of_target(written, wide)
}
