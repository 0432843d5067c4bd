//! The RBAC rights that the two service accounts need. A test keeps this list equal to `manifests/install`.

/// The service account that needs a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// The service account of the operator.
    Operator,
    /// The metrics server.
    MetricsServer,
}

/// Where a right must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// In the namespaces that the program looks at: those of `--watch-namespace`, or all.
    Watched,
    /// For objects that belong to no namespace.
    Cluster,
    /// In the install namespace.
    Install,
    /// In the namespace `kube-system`.
    KubeSystem,
}

/// When a right is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needed {
    /// In every installation.
    Always,
    /// If the operator writes LimitRanges and ResourceQuotas.
    ToManageLimits,
    /// If the metrics server issues its own certificate.
    ToShareCertificate,
    /// If the metrics server issues its own certificate and serves external metrics. The component
    /// `external-metrics` grants this right.
    ToShareCertificateOfExternal,
}

/// One RBAC rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The service account that needs the right.
    pub account: Account,
    /// Where the right must hold.
    pub scope: Scope,
    /// When the right is needed.
    pub needed: Needed,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Resource in the plural, with its subresource after a slash: `deployments/scale`.
    pub resource: &'static str,
    /// Name of the only object that the rule covers; empty for all objects.
    pub name: &'static str,
    /// The verbs of the rule.
    pub verbs: &'static [&'static str],
}

const READ: &[&str] = &["get", "list", "watch"];
const SEE: &[&str] = &["list", "watch"];
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

/// All rights that an installation needs.
pub const RIGHTS: &[Right] = {
    use Account::{MetricsServer, Operator};
    use Needed::{ToManageLimits, ToShareCertificate, ToShareCertificateOfExternal};
    use Scope::{Cluster, Install, KubeSystem, Watched};
    const OURS: &str = "scaling.voiceassist.io";
    const APISERVICES: &str = "apiregistration.k8s.io";
    &[
        right(Operator, Watched, OURS, "voiceassistscalings", "", READ),
        right(
            Operator,
            Watched,
            OURS,
            "voiceassistscalings/status",
            "",
            &["patch"],
        ),
        right(
            Operator,
            Watched,
            OURS,
            "voiceassistscalings/finalizers",
            "",
            &["update"],
        ),
        right(
            Operator,
            Watched,
            "autoscaling",
            "horizontalpodautoscalers",
            "",
            OWN,
        ),
        right(Operator, Watched, "policy", "poddisruptionbudgets", "", OWN),
        right(
            Operator,
            Watched,
            "autoscaling.k8s.io",
            "verticalpodautoscalers",
            "",
            OWN,
        ),
        right(Operator, Watched, "", "limitranges", "", READ),
        right(Operator, Watched, "", "resourcequotas", "", READ),
        only(
            ToManageLimits,
            right(
                Operator,
                Watched,
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
                Watched,
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
        right(Operator, Watched, "events.k8s.io", "events", "", &["create"]),
        right(Operator, Watched, "apps", "deployments", "", READ),
        right(Operator, Watched, "apps", "deployments/scale", "", &["get"]),
        right(Operator, Watched, "apps", "statefulsets", "", READ),
        right(Operator, Watched, "apps", "statefulsets/scale", "", &["get"]),
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
        right(MetricsServer, Watched, OURS, "voiceassistscalings", "", READ),
        right(
            MetricsServer,
            Watched,
            OURS,
            "voiceassistscalings/status",
            "",
            &["patch"],
        ),
        right(MetricsServer, Watched, "", "pods", "", &["list", "watch"]),
        right(
            MetricsServer,
            Cluster,
            APISERVICES,
            "apiservices",
            "v1beta1.custom.metrics.k8s.io",
            SEE,
        ),
        only(
            ToShareCertificate,
            right(
                MetricsServer,
                Cluster,
                APISERVICES,
                "apiservices",
                "v1beta1.custom.metrics.k8s.io",
                &["patch"],
            ),
        ),
        right(
            MetricsServer,
            Cluster,
            APISERVICES,
            "apiservices",
            "v1beta2.custom.metrics.k8s.io",
            SEE,
        ),
        only(
            ToShareCertificate,
            right(
                MetricsServer,
                Cluster,
                APISERVICES,
                "apiservices",
                "v1beta2.custom.metrics.k8s.io",
                &["patch"],
            ),
        ),
        right(
            MetricsServer,
            Cluster,
            APISERVICES,
            "apiservices",
            "v1beta1.external.metrics.k8s.io",
            SEE,
        ),
        only(
            ToShareCertificateOfExternal,
            right(
                MetricsServer,
                Cluster,
                APISERVICES,
                "apiservices",
                "v1beta1.external.metrics.k8s.io",
                &["patch"],
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
    /// Name of the service account in the manifests.
    #[must_use]
    pub fn default_name(self) -> &'static str {
        match self {
            Self::Operator => "vas-operator",
            Self::MetricsServer => "vas-metrics-server",
        }
    }
}

impl Right {
    /// The namespaces for access reviews; an empty name stands for the whole cluster. `watched` is what
    /// `--watch-namespace` says, if it is given.
    #[must_use]
    pub fn namespaces<'a>(&self, install_namespace: &'a str, watched: Option<&'a str>) -> Vec<&'a str> {
        match self.scope {
            Scope::Watched => watched.map_or(vec![""], |names| names.split(',').map(str::trim).collect()),
            Scope::Cluster => vec![""],
            Scope::Install => vec![install_namespace],
            Scope::KubeSystem => vec!["kube-system"],
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
mod tests;
