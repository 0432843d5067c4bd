//! One workload of one environment: its parts, put together.

use super::{
    behavior, disruption,
    findings::Scope,
    metrics, replicas,
    vertical::{self, Neighbours},
};
use crate::{
    api::v1alpha1::Workload,
    core::{field_path::FieldPath, model},
};

/// Parses a merged workload. `None` when a part is beyond parsing; a part that parses and yet breaks a
/// rule is in the findings, and the caller leaves the workload out for that.
pub(super) fn check(
    workload: &Workload,
    suspended: bool,
    limits: Option<&model::Limits>,
    scope: &mut Scope<'_>,
) -> Option<model::Workload> {
    let mut scope = scope.of_workload(&workload.name);
    let scope = &mut scope;
    let path = FieldPath::workload(&workload.name);

    let metrics = metrics::check(&workload.metrics, &path, scope);
    let behavior = behavior::check(workload.behavior.as_ref(), &path.field("behavior"), scope);
    let replicas = replicas::check(workload, metrics.as_deref(), &behavior, &path, scope);
    let vertical = vertical::check(
        workload.vertical.as_ref(),
        &Neighbours {
            metrics: metrics.as_deref().unwrap_or_default(),
            limit_range: limits.and_then(|limits| limits.limit_range.as_ref()),
        },
        &path,
        scope,
    );
    let disruption = disruption::check(workload.disruption.as_ref(), replicas.min, &path, scope);

    Some(model::Workload {
        name: workload.name.clone(),
        target: workload.scale_target_ref.clone(),
        min_replicas: replicas.min,
        max_replicas: replicas.max,
        suspended: suspended || workload.suspend.unwrap_or(false),
        metrics: metrics?,
        behavior,
        vertical,
        disruption,
    })
}
