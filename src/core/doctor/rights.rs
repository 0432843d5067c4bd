//! What the two service accounts need: the one list, which a test keeps equal to `manifests/install`.

/// Whose right it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// The operator.
    Operator,
    /// The metrics server.
    MetricsServer,
}

/// Where it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// In every namespace, or on objects outside them.
    Cluster,
    /// In the install namespace.
    Install,
    /// In `kube-system`.
    KubeSystem,
}

/// When it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needed {
    /// Always.
    Always,
    /// Where the operator writes LimitRanges and ResourceQuotas.
    ToManageLimits,
    /// Where the metrics server's certificate is the one it issues.
    ToShareCertificate,
}

/// One rule of RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Whose.
    pub account: Account,
    /// Where.
    pub scope: Scope,
    /// When.
    pub needed: Needed,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Resource, with its subresource after a slash.
    pub resource: &'static str,
    /// The one object; empty for all.
    pub name: &'static str,
    /// Verbs.
    pub verbs: &'static [&'static str],
}

const READ: &[&str] = &["get", "list", "watch"];
const OWN: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

const fn right(
    account: Account,
    scope: Scope,
    group: &'static str,
    resource: &'static str,
    name: &'static str,
    verbs: &'static [&'static str],
) -> Right {
    Right {
        account,
        scope,
        needed: Needed::Always,
        group,
        resource,
        name,
        verbs,
    }
}

const fn only(needed: Needed, right: Right) -> Right {
    Right { needed, ..right }
}

/// Everything that is needed.
pub const RIGHTS: &[Right] = {
    use Account::{MetricsServer, Operator};
    use Needed::{ToManageLimits, ToShareCertificate};
    use Scope::{Cluster, Install, KubeSystem};
    const OURS: &str = "scaling.voiceassist.io";
    const APISERVICES: &str = "apiregistration.k8s.io";
    &[
        right(Operator, Cluster, OURS, "voiceassistscalings", "", READ),
        right(
            Operator,
            Cluster,
            OURS,
            "voiceassistscalings/status",
            "",
            &["patch"],
        ),
        right(
            Operator,
            Cluster,
            OURS,
            "voiceassistscalings/finalizers",
            "",
            &["update"],
        ),
        right(
            Operator,
            Cluster,
            "autoscaling",
            "horizontalpodautoscalers",
            "",
            OWN,
        ),
        right(Operator, Cluster, "policy", "poddisruptionbudgets", "", OWN),
        right(
            Operator,
            Cluster,
            "autoscaling.k8s.io",
            "verticalpodautoscalers",
            "",
            OWN,
        ),
        right(Operator, Cluster, "", "limitranges", "", READ),
        right(Operator, Cluster, "", "resourcequotas", "", READ),
        only(
            ToManageLimits,
            right(
                Operator,
                Cluster,
                "",
                "limitranges",
                "",
                &["create", "patch", "delete"],
            ),
        ),
        only(
            ToManageLimits,
            right(
                Operator,
                Cluster,
                "",
                "resourcequotas",
                "",
                &["create", "patch", "delete"],
            ),
        ),
        right(
            Operator,
            Cluster,
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            "verticalpodautoscalers.autoscaling.k8s.io",
            READ,
        ),
        right(
            Operator,
            Cluster,
            APISERVICES,
            "apiservices",
            "v1beta2.custom.metrics.k8s.io",
            READ,
        ),
        right(Operator, Cluster, "events.k8s.io", "events", "", &["create"]),
        right(Operator, Cluster, "apps", "deployments", "", &["get"]),
        right(Operator, Cluster, "apps", "deployments/scale", "", &["get"]),
        right(Operator, Cluster, "apps", "statefulsets", "", &["get"]),
        right(Operator, Cluster, "apps", "statefulsets/scale", "", &["get"]),
        right(
            Operator,
            Install,
            "coordination.k8s.io",
            "leases",
            "",
            &["create"],
        ),
        right(
            Operator,
            Install,
            "coordination.k8s.io",
            "leases",
            "vas-operator",
            &["get", "update"],
        ),
        right(MetricsServer, Cluster, OURS, "voiceassistscalings", "", READ),
        right(
            MetricsServer,
            Cluster,
            OURS,
            "voiceassistscalings/status",
            "",
            &["patch"],
        ),
        right(MetricsServer, Cluster, "", "pods", "", &["list", "watch"]),
        only(
            ToShareCertificate,
            right(
                MetricsServer,
                Cluster,
                APISERVICES,
                "apiservices",
                "v1beta1.custom.metrics.k8s.io",
                &["get", "patch"],
            ),
        ),
        only(
            ToShareCertificate,
            right(
                MetricsServer,
                Cluster,
                APISERVICES,
                "apiservices",
                "v1beta2.custom.metrics.k8s.io",
                &["get", "patch"],
            ),
        ),
        right(
            MetricsServer,
            Cluster,
            "authentication.k8s.io",
            "tokenreviews",
            "",
            &["create"],
        ),
        right(
            MetricsServer,
            Cluster,
            "authorization.k8s.io",
            "subjectaccessreviews",
            "",
            &["create"],
        ),
        right(
            MetricsServer,
            KubeSystem,
            "",
            "configmaps",
            "extension-apiserver-authentication",
            READ,
        ),
        right(
            MetricsServer,
            Install,
            "coordination.k8s.io",
            "leases",
            "",
            &["create"],
        ),
        right(
            MetricsServer,
            Install,
            "coordination.k8s.io",
            "leases",
            "vas-metrics-server",
            &["get", "update"],
        ),
        only(
            ToShareCertificate,
            right(
                MetricsServer,
                Install,
                "",
                "secrets",
                "vas-metrics-server-tls",
                &["get", "update"],
            ),
        ),
    ]
};

impl Account {
    /// Name of the service account that the manifests give it.
    #[must_use]
    pub fn default_name(self) -> &'static str {
        match self {
            Self::Operator => "vas-operator",
            Self::MetricsServer => "vas-metrics-server",
        }
    }
}

impl Right {
    /// The namespace of a review; empty for all of the cluster.
    #[must_use]
    pub fn namespace<'a>(&self, install_namespace: &'a str) -> &'a str {
        match self.scope {
            Scope::Cluster => "",
            Scope::Install => install_namespace,
            Scope::KubeSystem => "kube-system",
        }
    }
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The manifests, and the roles of Kubernetes that they bind.
    const MANIFESTS: &[(Account, &str)] = &[
        (
            Account::Operator,
            include_str!("../../../manifests/install/operator/rbac.yaml"),
        ),
        (
            Account::Operator,
            include_str!("../../../manifests/install/operator/rbac-limits.yaml"),
        ),
        (
            Account::Operator,
            include_str!("../../../manifests/install/operator/rbac-scale-targets.yaml"),
        ),
        (
            Account::MetricsServer,
            include_str!("../../../manifests/install/metrics-server/rbac.yaml"),
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
                let scope = if object["kind"] == "Role" {
                    Scope::Install
                } else {
                    Scope::Cluster
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
            // These come from roles that Kubernetes ships.
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
}
