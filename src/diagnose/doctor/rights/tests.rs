use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// The manifests, and the roles of Kubernetes to which they bind.
const MANIFESTS: &[(Account, &str)] = &[
    (
        Account::Operator,
        include_str!("../../../../manifests/install/operator/rbac.yaml"),
    ),
    (
        Account::Operator,
        include_str!("../../../../manifests/install/components/limits/rbac.yaml"),
    ),
    (
        Account::Operator,
        include_str!("../../../../manifests/install/operator/rbac-scale-targets.yaml"),
    ),
    (
        Account::MetricsServer,
        include_str!("../../../../manifests/install/metrics-server/rbac.yaml"),
    ),
    (
        Account::MetricsServer,
        include_str!("../../../../manifests/install/components/external-metrics/rbac.yaml"),
    ),
];

fn texts(rule: &Value, field: &str) -> Vec<String> {
    let list = rule[field].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_list_is_what_the_manifests_grant() {
    let mut granted = BTreeSet::new();
    for (account, text) in MANIFESTS {
        let objects: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
        for object in objects {
            // The ClusterRoles that `watch-namespaces` binds in namespaces are the others.
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let scope = match object["kind"].as_str() {
                Some("Role") => Scope::Install,
                _ if name.ends_with("-cluster") || name.ends_with("-external") => Scope::Cluster,
                _ => Scope::Watched,
            };
            for rule in object["rules"].as_array().into_iter().flatten() {
                let mut names = texts(rule, "resourceNames");
                if names.is_empty() {
                    names.push(String::new());
                }
                for group in texts(rule, "apiGroups") {
                    for resource in texts(rule, "resources") {
                        for name in &names {
                            for verb in texts(rule, "verbs") {
                                granted.insert((
                                    *account,
                                    scope,
                                    group.clone(),
                                    resource.clone(),
                                    name.clone(),
                                    verb,
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    let needed: BTreeSet<_> = RIGHTS
        .iter()
        // Roles that Kubernetes ships grant these rights, not the manifests.
        .filter(|right| {
            right.scope != Scope::KubeSystem
                && !["authentication.k8s.io", "authorization.k8s.io"].contains(&right.group)
        })
        .flat_map(|right| {
            right.verbs.iter().map(|verb| {
                let [group, resource, name, verb] =
                    [right.group, right.resource, right.name, verb].map(str::to_owned);
                (right.account, right.scope, group, resource, name, verb)
            })
        })
        .collect();
    let unlisted: Vec<_> = granted.difference(&needed).collect();
    let ungranted: Vec<_> = needed.difference(&granted).collect();
    assert!(unlisted.is_empty(), "granted, and not in RIGHTS: {unlisted:#?}");
    assert!(ungranted.is_empty(), "in RIGHTS, and not granted: {ungranted:#?}");
}

#[test]
fn a_right_is_asked_for_where_the_program_looks() {
    let of = |resource: &str| RIGHTS.iter().find(|right| right.resource == resource).unwrap();
    let named = Some("shop, orders");
    assert_eq!(of("pods").namespaces("vas-system", None), [""]);
    assert_eq!(of("pods").namespaces("vas-system", named), ["shop", "orders"]);
    assert_eq!(of("apiservices").namespaces("vas-system", named), [""]);
    assert_eq!(of("leases").namespaces("vas-system", named), ["vas-system"]);
}
