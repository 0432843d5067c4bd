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

/// Makes one access review for each verb of each right. If the first review is refused, the others are not
/// made: they would be refused too.
pub(super) async fn read(client: &Client, observed: &Observed) -> Vec<RightSeen> {
    let asked: Vec<(&'static Right, &'static str)> = RIGHTS
        .iter()
        .flat_map(|right| right.verbs.iter().map(move |verb| (right, *verb)))
        .collect();
    let mut refused: Option<Unread> = None;
    let mut seen = Vec::with_capacity(asked.len());
    if let Some((right, verb)) = asked.first() {
        let first = review(client, observed, right, verb).await;
        refused = first.allowed.as_ref().err().cloned();
        seen.push(first);
    }
    let rest = asked.into_iter().skip(1);
    if let Some(why) = refused {
        seen.extend(rest.map(|(right, verb)| RightSeen {
            right,
            verb,
            account: account(observed, right.account),
            allowed: Err(why.clone()),
        }));
        return seen;
    }
    let reviews = rest.map(|(right, verb)| review(client, observed, right, verb));
    let rest: Vec<RightSeen> = stream::iter(reviews).buffered(CONCURRENT).collect().await;
    seen.extend(rest);
    seen
}

fn account(observed: &Observed, account: Account) -> String {
    let deployment = match account {
        Account::Operator => &observed.operator,
        Account::MetricsServer => &observed.metrics_server,
    };
    let named = deployment.as_ref().ok().and_then(deployments::service_account);
    named.unwrap_or(account.default_name()).to_owned()
}

async fn review(
    client: &Client,
    observed: &Observed,
    right: &'static Right,
    verb: &'static str,
) -> RightSeen {
    let account = account(observed, right.account);
    let allowed = allowed(client, observed, right, verb, &account).await;
    RightSeen {
        right,
        verb,
        account,
        allowed,
    }
}

async fn allowed(
    client: &Client,
    observed: &Observed,
    right: &Right,
    verb: &str,
    account: &str,
) -> Read<bool> {
    let namespace = &observed.install_namespace;
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
                namespace: given(right.namespace(namespace)),
                verb: given(verb),
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
