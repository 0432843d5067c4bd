//! Who answers for each API of metrics, read off its APIServices, and what that means for a resource.
//!
//! An APIService leads the API server to one Service. Where that is not ours, the HPA asks somebody else and our
//! values are never read; where there is none, the HPA has nobody to ask. Neither shows in Prometheus or in our
//! own answers, so it is judged here.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;

use super::condition::Verdict;
use crate::api::{CUSTOM_METRICS_GROUP, EXTERNAL_METRICS_GROUP, condition::reason};

/// Metrics that a message names; more are counted.
const NAMED: usize = 5;

/// A group of the metrics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricsApi {
    /// `custom.metrics.k8s.io`.
    Custom,
    /// `external.metrics.k8s.io`.
    External,
}

impl MetricsApi {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Custom, Self::External];

    /// Name of the group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Custom => CUSTOM_METRICS_GROUP,
            Self::External => EXTERNAL_METRICS_GROUP,
        }
    }

    /// Names of its APIServices, the newest version first.
    pub fn api_services(self) -> &'static [&'static str] {
        match self {
            Self::Custom => &["v1beta2.custom.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"],
            Self::External => &["v1beta1.external.metrics.k8s.io"],
        }
    }

    /// What installs its APIServices.
    fn install(self) -> &'static str {
        match self {
            Self::Custom => "manifests/install",
            Self::External => "the component external-metrics",
        }
    }
}

/// The Service that an APIService leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody has looked yet.
    Unknown,
    /// There is no such APIService.
    Absent,
    /// It leads here.
    Ours,
    /// It leads elsewhere; in words, where to.
    Foreign(String),
}

/// What counts of an APIService.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whom it leads to.
    pub owner: Owner,
    /// Its `versionPriority`: clients read the version of the highest.
    pub priority: i32,
}

impl Registration {
    /// That of which nothing is known.
    pub const UNKNOWN: Self = Self {
        owner: Owner::Unknown,
        priority: 0,
    };

    /// Reads an APIService, or its absence. Ours is the Service of this namespace and name.
    pub fn read(service: Option<&APIService>, namespace: &str, name: &str) -> Self {
        let Some(service) = service else {
            return Self {
                owner: Owner::Absent,
                priority: 0,
            };
        };
        let spec = service.spec.as_ref();
        let owner = match spec.and_then(|spec| spec.service.as_ref()) {
            None => Owner::Foreign("the API server itself".to_owned()),
            Some(to) if to.namespace.as_deref() == Some(namespace) && to.name.as_deref() == Some(name) => {
                Owner::Ours
            }
            Some(to) => {
                let part = |text: &Option<String>| text.clone().unwrap_or_default();
                Owner::Foreign(format!("Service {}/{}", part(&to.namespace), part(&to.name)))
            }
        };
        Self {
            owner,
            priority: spec.map_or(0, |spec| spec.version_priority),
        }
    }
}

/// Why the HPA does not read a group from us. `Display` ends with what helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrouted {
    /// Another adapter answers.
    #[error(
        "APIService {api_service} leads to {owner}; a cluster has one adapter for each metrics API: \
         remove that one, then apply {}", .api.install()
    )]
    Foreign {
        /// The group.
        api: MetricsApi,
        /// The APIService that clients go by.
        api_service: &'static str,
        /// Whom it leads to.
        owner: String,
    },
    /// Nobody does.
    #[error("there is no APIService of {}: apply {}", .0.group(), .0.install())]
    Absent(MetricsApi),
}

impl Unrouted {
    fn reason(&self) -> &'static str {
        match self {
            Self::Foreign { .. } => reason::API_SERVICE_FOREIGN,
            Self::Absent(_) => reason::API_SERVICE_ABSENT,
        }
    }
}

/// Why reads of a group do not reach us, if so. Clients read one version of a group, that of the highest priority, so
/// only its APIService counts. Nothing is said before all of them were looked at.
pub fn unrouted(api: MetricsApi, registration: impl Fn(&'static str) -> Registration) -> Option<Unrouted> {
    let mut preferred: Option<(&'static str, Registration)> = None;
    for name in api.api_services() {
        let registration = registration(name);
        match registration.owner {
            Owner::Unknown => return None,
            Owner::Absent => {}
            Owner::Ours | Owner::Foreign(_) => {
                if preferred
                    .as_ref()
                    .is_none_or(|(_, best)| best.priority < registration.priority)
                {
                    preferred = Some((name, registration));
                }
            }
        }
    }
    match preferred {
        None => Some(Unrouted::Absent(api)),
        Some((
            api_service,
            Registration {
                owner: Owner::Foreign(owner),
                ..
            },
        )) => Some(Unrouted::Foreign {
            api,
            api_service,
            owner,
        }),
        Some(_) => None,
    }
}

/// The verdict on a resource of whose metrics these, each as `workload/metric`, are not read from us. It comes
/// before what else is wrong with them: values that nobody reads help nobody.
#[must_use]
pub fn with_unrouted(unrouted: &Unrouted, metrics: &[String], otherwise: &Verdict) -> Verdict {
    let mut names = metrics
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if metrics.len() > NAMED {
        names = format!("{names} and {} more", metrics.len() - NAMED);
    }
    let mut message = format!("the HPA does not read {names} from here: {unrouted}");
    if otherwise.status == "False" {
        message = format!("{message}; {}", otherwise.message);
    }
    Verdict {
        status: "False",
        reason: unrouted.reason(),
        message,
    }
}

#[cfg(test)]
mod tests;
