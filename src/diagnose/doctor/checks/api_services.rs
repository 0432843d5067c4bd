//! Checks of the APIServices through which the HPA controller reads metrics.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;

use crate::doctor::{Finding, observed::Observed};
use vas_api::METRICS_SERVER_SERVICE;
use vas_core::{k8s::read::Unread, metrics::registration};

/// The APIServices of custom metrics, which every installation has.
pub const CUSTOM: [&str; 2] = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];
/// The APIService of external metrics.
pub const EXTERNAL: &str = "v1beta1.external.metrics.k8s.io";
/// The APIService of CPU and memory, which belongs to Kubernetes' metrics-server.
pub const RESOURCE: &str = "v1beta1.metrics.k8s.io";

/// Whether every APIService that the installation needs exists.
pub(in crate::doctor) fn registered(observed: &Observed) -> Vec<Finding> {
    let needed = needed(observed);
    needed
        .map(|name| {
            let object = format!("APIService {name}");
            match observed.api_service(name) {
                Ok(_) => Finding::ok(object, "is registered"),
                Err(Unread::NotFound) => {
                    Finding::problem(object, "does not exist: the HPA has nobody to ask").fix(
                        if name == EXTERNAL {
                            "vas register --external"
                        } else {
                            "vas register"
                        },
                    )
                }
                Err(why) => Finding::skipped(object, why.to_string()),
            }
        })
        .collect()
}

/// Whether the APIServices lead to the Service of vas.
pub(in crate::doctor) fn owner(observed: &Observed) -> Vec<Finding> {
    each(observed, |object, service| {
        let ours = ours(observed);
        let owner = backend(service);
        if owner == ours {
            Finding::ok(object, format!("spec.service is {ours}"))
        } else {
            Finding::problem(
                &object,
                format!("spec.service is {owner}, not {ours}: somebody else answers for this API"),
            )
            .fix("vas register says who reads from it; with --take-over it leads to vas. A cluster has one owner of this API")
        }
    })
}

/// Whether the API server reaches the metrics server.
pub(in crate::doctor) fn available(observed: &Observed) -> Vec<Finding> {
    each(observed, |object, service| {
        availability(object, service, observed)
    })
}

/// The condition `Available` of an APIService, as a finding.
pub(in crate::doctor) fn availability(object: String, service: &APIService, observed: &Observed) -> Finding {
    match registration::available(service) {
        Some(condition) if condition.status == "True" => Finding::ok(object, "Available=True"),
        Some(condition) => {
            let reason = condition.reason.as_deref().unwrap_or("no reason");
            let words = condition.message.as_deref().unwrap_or_default();
            Finding::problem(
                object,
                format!("Available={} {reason}: {words}", condition.status),
            )
            .fix(availability_fix(reason, service, observed))
        }
        None => Finding::problem(object, "has no condition Available yet"),
    }
}

fn availability_fix(reason: &str, service: &APIService, observed: &Observed) -> String {
    let backend = service.spec.as_ref().and_then(|spec| spec.service.as_ref());
    let namespace = backend
        .and_then(|backend| backend.namespace.as_deref())
        .unwrap_or(&observed.install_namespace);
    let name = backend
        .and_then(|backend| backend.name.as_deref())
        .unwrap_or(METRICS_SERVER_SERVICE);
    match reason {
        "ServiceNotFound" => "kubectl apply -k manifests/install".to_owned(),
        "MissingEndpoints" | "EndpointsNotFound" => {
            format!(
                "kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}; its pods must be ready"
            )
        }
        _ => format!(
            "kubectl -n {namespace} logs deployment/{name}; the network must let the API server reach its port"
        ),
    }
}

/// Whether the API server verifies the certificate of the metrics server.
pub(in crate::doctor) fn trust(observed: &Observed) -> Vec<Finding> {
    each(observed, |object, service| {
        let spec = service.spec.as_ref();
        if spec.and_then(|spec| spec.insecure_skip_tls_verify) == Some(true) {
            return Finding::warning(
                object,
                "spec.insecureSkipTLSVerify is true: whoever answers on that address sets your replicas",
            )
            .fix("vas register sets it to false; the metrics server writes the caBundle");
        }
        let bundle = spec.and_then(|spec| spec.ca_bundle.as_ref());
        if bundle.is_none_or(|bundle| bundle.0.is_empty()) {
            return Finding::problem(object, "spec.caBundle is empty: the API server trusts no certificate of ours").fix(
                format!(
                    "kubectl -n {} rollout restart deployment/{METRICS_SERVER_SERVICE}; with --tls-cert-file it is yours to set",
                    observed.install_namespace
                ),
            );
        }
        Finding::ok(object, "spec.caBundle is set")
    })
}

/// The names of the APIServices that this installation needs.
pub(in crate::doctor) fn needed(observed: &Observed) -> impl Iterator<Item = &'static str> {
    let external = uses_external(observed);
    CUSTOM.into_iter().chain(external.then_some(EXTERNAL))
}

/// Whether an HPA of a resource reads an external metric.
pub(in crate::doctor) fn uses_external(observed: &Observed) -> bool {
    observed
        .metric_reads
        .iter()
        .any(|read| read.path.starts_with("/apis/external.metrics.k8s.io/"))
}

fn each(observed: &Observed, check: impl Fn(String, &APIService) -> Finding) -> Vec<Finding> {
    needed(observed)
        .map(|name| {
            let object = format!("APIService {name}");
            match observed.api_service(name) {
                Ok(service) => check(object, service),
                Err(why) => Finding::skipped(object, why.to_string()),
            }
        })
        .collect()
}

/// Whether an APIService leads to the Service of vas.
pub(in crate::doctor) fn leads_to_us(service: &APIService, observed: &Observed) -> bool {
    backend(service) == ours(observed)
}

/// The Service of vas, as `namespace/name`.
fn ours(observed: &Observed) -> String {
    format!("{}/{METRICS_SERVER_SERVICE}", observed.install_namespace)
}

/// The Service behind an APIService, as `namespace/name`.
fn backend(service: &APIService) -> String {
    let backend = service.spec.as_ref().and_then(|spec| spec.service.as_ref());
    match backend {
        Some(backend) => format!(
            "{}/{}",
            backend.namespace.as_deref().unwrap_or_default(),
            backend.name.as_deref().unwrap_or_default()
        ),
        None => "not set (the API server itself)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        observed::MetricRead,
        testing::{api_service, healthy, severities},
    };

    fn with(change: serde_json::Value) -> Observed {
        let mut observed = healthy();
        observed
            .api_services
            .insert(CUSTOM[1].to_owned(), Ok(api_service(CUSTOM[1], &change)));
        observed
    }

    #[test]
    fn a_foreign_owner_is_named() {
        let observed =
            with(json!({"spec": {"service": {"namespace": "monitoring", "name": "prometheus-adapter"}}}));
        let found = owner(&observed);
        assert_eq!(severities(&found), [Severity::Ok, Severity::Problem]);
        assert!(found[1].message.contains("monitoring/prometheus-adapter"));
    }

    #[test]
    fn an_absent_one_is_a_problem_and_the_rest_of_it_unknown() {
        let mut observed = healthy();
        observed
            .api_services
            .insert(CUSTOM[0].to_owned(), Err(Unread::NotFound));
        assert_eq!(
            severities(&registered(&observed)),
            [Severity::Problem, Severity::Ok]
        );
        assert_eq!(severities(&owner(&observed)), [Severity::Skipped, Severity::Ok]);
    }

    #[test]
    fn the_reason_of_an_unavailable_one_is_quoted() {
        let observed = with(json!({"status": {"conditions": [
            {"type": "Available", "status": "False", "reason": "MissingEndpoints", "message": "no endpoints"}]}}));
        let found = available(&observed);
        assert_eq!(severities(&found), [Severity::Ok, Severity::Problem]);
        assert!(found[1].message.contains("MissingEndpoints: no endpoints"));
        assert!(found[1].fix.as_ref().unwrap().contains("endpointslices"));
    }

    #[test]
    fn unverified_connections_are_pointed_out() {
        let skipping = with(json!({"spec": {"insecureSkipTLSVerify": true, "caBundle": null}}));
        assert_eq!(severities(&trust(&skipping)), [Severity::Ok, Severity::Warning]);
        let empty = with(json!({"spec": {"caBundle": null}}));
        assert_eq!(severities(&trust(&empty)), [Severity::Ok, Severity::Problem]);
    }

    #[test]
    fn the_api_of_external_metrics_counts_where_one_is_used() {
        let mut observed = healthy();
        assert_eq!(registered(&observed).len(), 2);
        observed.metric_reads.push(MetricRead {
            hpa: "HorizontalPodAutoscaler a/b".to_owned(),
            metric: "m".to_owned(),
            path: "/apis/external.metrics.k8s.io/v1beta1/namespaces/a/m".to_owned(),
            outcome: Err(Unread::NotFound),
        });
        observed
            .api_services
            .insert(EXTERNAL.to_owned(), Err(Unread::NotFound));
        assert_eq!(
            severities(&registered(&observed)),
            [Severity::Ok, Severity::Ok, Severity::Problem]
        );
    }
}
