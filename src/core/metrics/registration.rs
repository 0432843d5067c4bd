//! Finds out from the APIServices which server answers each metrics API, and what that means for a resource.
//!
//! An APIService routes the requests for one version of an API group to one Service. Where that Service is
//! not ours, the HPA reads from another server and never sees our values. Where there is no APIService, the
//! HPA cannot read at all. Neither shows in Prometheus or in our own answers, so it is judged here.

pub mod change;
pub mod readers;

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::APIResourceList,
    kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceCondition},
};

use super::condition::Verdict;
use crate::wording::and_more;
use vas_api::{CUSTOM_METRICS_GROUP, DISCOVERED_METRIC, EXTERNAL_METRICS_GROUP, condition::reason};

/// Greatest number of metrics that a message names. The others are counted.
const NAMED: usize = 5;

/// A group of the metrics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricsApi {
    /// The group `custom.metrics.k8s.io`: metrics of pods and of the described object.
    Custom,
    /// The group `external.metrics.k8s.io`: metrics that belong to no object.
    External,
}

impl MetricsApi {
    /// Both groups, `custom.metrics.k8s.io` first.
    pub const ALL: [Self; 2] = [Self::Custom, Self::External];

    /// Name of the API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Custom => CUSTOM_METRICS_GROUP,
            Self::External => EXTERNAL_METRICS_GROUP,
        }
    }

    /// Names of the group's APIServices, the newest version first.
    pub fn api_services(self) -> &'static [&'static str] {
        match self {
            Self::Custom => &["v1beta2.custom.metrics.k8s.io", "v1beta1.custom.metrics.k8s.io"],
            Self::External => &["v1beta1.external.metrics.k8s.io"],
        }
    }

    /// The command that leads the group to us.
    pub fn register(self) -> &'static str {
        match self {
            Self::Custom => "vas register",
            Self::External => "vas register --external",
        }
    }
}

/// The Service that an APIService routes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The APIService has not been read yet.
    Unknown,
    /// There is no such APIService.
    Absent,
    /// The APIService routes to our Service.
    Ours,
    /// The APIService routes to another server, named as in messages: `Service monitoring/adapter`.
    Foreign(String),
}

/// The condition `Available` of an APIService: whether the API server reaches the server behind it. `None` until
/// the API server has looked.
pub fn available(service: &APIService) -> Option<&APIServiceCondition> {
    let conditions = service.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Available")
}

/// Whether the discovery document of a version of a metrics API is that of vas.
pub fn is_answer_of_vas(list: &APIResourceList) -> bool {
    // `namespaces/METRIC` in custom.metrics.k8s.io, `METRIC` in external.metrics.k8s.io.
    list.resources
        .iter()
        .any(|resource| resource.name.rsplit('/').next() == Some(DISCOVERED_METRIC))
}

/// The fields of an APIService that count here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The server that the APIService routes to.
    pub owner: Owner,
    /// `versionPriority` of the APIService: clients read the version with the highest one.
    pub priority: i32,
}

impl Registration {
    /// The registration before the APIService was read.
    pub const UNKNOWN: Self = Self {
        owner: Owner::Unknown,
        priority: 0,
    };

    /// Reads an APIService; `None` where there is none. Our own Service has this namespace and name.
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

/// Why the HPA does not read a group from us. `Display` ends with the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrouted {
    /// Another metrics adapter answers.
    #[error(
        "APIService {api_service} leads to {owner}; a cluster has one adapter for each metrics API: \
         see with {} who reads from that one, and take over with --take-over", .api.register()
    )]
    Foreign {
        /// The group of the metrics API.
        api: MetricsApi,
        /// Name of the APIService whose version clients read.
        api_service: &'static str,
        /// The server that it routes to.
        owner: String,
    },
    /// No server answers: the group has no APIService.
    #[error("there is no APIService of {}: {} makes it", .0.group(), .0.register())]
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

/// Why reads of a group do not reach us; `None` where they do. Clients read one version of a group, the one
/// with the highest priority, so only the APIService of that version counts. The result is `None` too until
/// all APIServices of the group were read.
pub fn unrouted(api: MetricsApi, registration: impl Fn(&'static str) -> Registration) -> Option<Unrouted> {
    let mut preferred: Option<(&'static str, Registration)> = None;
    for name in api.api_services() {
        let registration = registration(name);
        match registration.owner {
            Owner::Unknown => return None,
            Owner::Absent => {}
            Owner::Ours | Owner::Foreign(_) => {
                // Of equal priorities the first in the list counts, which is the newest version.
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

/// The verdict `False` on a resource whose `metrics` (each `workload/metric`) the HPA reads from another API
/// server, or from none. This problem is named before the other ones: until it is mended, the others do not
/// matter.
#[must_use]
pub fn with_unrouted(unrouted: &Unrouted, metrics: &[String], otherwise: &Verdict) -> Verdict {
    let names = metrics
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let more = and_more(metrics.len().saturating_sub(NAMED));
    let mut message = format!("the HPA does not read {names}{more} from here: {unrouted}");
    // What is wrong besides follows, so that nothing has to be found out twice.
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
