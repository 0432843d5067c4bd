//! Asks the API server for the rights of the two service accounts.

use futures::{StreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};

use super::{CONCURRENT, reader::read as bounded};
use crate::doctor::{
    checks::deployments,
    observed::{Observed, RightSeen},
    rights::{Account, RIGHTS, Right},
};
use vas_core::k8s::read::{Read, Unread};

/// Makes one access review for each verb of each right, in each namespace where it must hold. If the first review is
/// refused, the others are not made: they would be refused too.
pub(super) async fn read(client: &Client, observed: &Observed) -> Vec<RightSeen> {
    let mut asked = RIGHTS.iter().flat_map(|right| to_ask(observed, right));
    let mut seen = Vec::new();
    if let Some(first) = asked.next() {
        seen.push(review(client, observed, first).await);
    }
    if let Some(Err(why)) = seen.first().map(|first| &first.allowed) {
        let why = why.clone();
        seen.extend(asked.map(|right| RightSeen {
            allowed: Err(why.clone()),
            ..right
        }));
        return seen;
    }
    let reviews = asked.map(|right| review(client, observed, right));
    let rest: Vec<RightSeen> = stream::iter(reviews).buffered(CONCURRENT).collect().await;
    seen.extend(rest);
    seen
}

/// What is to be asked for a right.
fn to_ask<'a>(observed: &'a Observed, right: &'static Right) -> impl Iterator<Item = RightSeen> + 'a {
    let deployment = match right.account {
        Account::Operator => observed.operator.as_ref().ok(),
        Account::MetricsServer => observed.metrics_server.as_ref().ok(),
    };
    let named = deployment.and_then(deployments::service_account);
    let account = named.unwrap_or(right.account.default_name());
    let watched = deployments::setting(deployment, "--watch-namespace", "VAS_WATCH_NAMESPACE");
    let namespaces = right.namespaces(&observed.install_namespace, watched);
    namespaces.into_iter().flat_map(move |namespace| {
        right.verbs.iter().map(move |verb| RightSeen {
            right,
            verb,
            account: account.to_owned(),
            namespace: namespace.to_owned(),
            allowed: Err(Unread::NotAsked("not asked yet".to_owned())),
        })
    })
}

async fn review(client: &Client, observed: &Observed, right: RightSeen) -> RightSeen {
    let allowed = allowed(client, &observed.install_namespace, &right).await;
    RightSeen { allowed, ..right }
}

/// Whether a service account of the install namespace has a right.
async fn allowed(client: &Client, namespace: &str, asked: &RightSeen) -> Read<bool> {
    let (right, account) = (asked.right, &asked.account);
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((right.resource, ""));
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(format!("system:serviceaccount:{namespace}:{account}")),
            groups: Some(vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ]),
            resource_attributes: Some(ResourceAttributes {
                group: given(right.group),
                resource: given(resource),
                subresource: given(subresource),
                name: given(right.name),
                namespace: given(&asked.namespace),
                verb: given(asked.verb),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let review = bounded(api.create(&PostParams::default(), &review)).await?;
    Ok(review.status.is_some_and(|status| status.allowed))
}
