//! Judges whether the kind of a target can be scaled.

use kube::core::ApiResource;
use vas_api::{condition::reason, v1alpha1::ScaleTargetRef};
use vas_cluster::{kinds::Kinds, read::ReadError, scale_target::ServedKind};

/// How the API server serves the kind of a target.
pub(super) enum Kind {
    Scalable(ApiResource),
    Unusable { reason: &'static str, message: String },
}

/// How the API server serves the kind of a target.
pub(super) async fn find(kinds: &Kinds, target: &ScaleTargetRef) -> Result<Kind, ReadError> {
    let enough = |served: &ServedKind| served.scalable;
    let served = kinds.find(&target.api_version, &target.kind, enough).await?;
    Ok(judge(served.as_ref(), target))
}

fn judge(served: Option<&ServedKind>, target: &ScaleTargetRef) -> Kind {
    let Some(served) = served else {
        return Kind::Unusable {
            reason: reason::NOT_FOUND,
            message: format!(
                "the cluster serves no kind {} in {}",
                target.kind, target.api_version
            ),
        };
    };
    if !served.scalable {
        return Kind::Unusable {
            reason: reason::NOT_SCALABLE,
            message: format!(
                "{} of {} has no scale subresource; target the object that manages the pods, such as a Deployment",
                target.kind, target.api_version
            ),
        };
    }
    Kind::Scalable(served.resource(&target.api_version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(scalable: Option<bool>) -> String {
        let target = ScaleTargetRef {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: "x".to_owned(),
        };
        let served = scalable.map(|scalable| ServedKind {
            kind: "Deployment".to_owned(),
            plural: "deployments".to_owned(),
            scalable,
        });
        match judge(served.as_ref(), &target) {
            Kind::Scalable(resource) => format!("{} in {}", resource.plural, resource.api_version),
            Kind::Unusable { reason, .. } => reason.to_owned(),
        }
    }

    #[test]
    fn only_a_kind_with_a_scale_subresource_is_usable() {
        assert_eq!(verdict(Some(true)), "deployments in apps/v1");
        assert_eq!(verdict(Some(false)), reason::NOT_SCALABLE);
        assert_eq!(verdict(None), reason::NOT_FOUND);
    }
}
