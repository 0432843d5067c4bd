//! Check of the Service through which the API server reaches the metrics server.
//!
//! The API server keeps connections that it has. So after a wrong change of the Service everything goes on, until they
//! end; this check sees it before.

use k8s_openapi::{
    api::core::v1::{ContainerPort, PodTemplateSpec, Service, ServicePort},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::api_services;
use crate::doctor::{Finding, observed::Observed};
use vas_api::METRICS_SERVER_SERVICE;
use vas_core::k8s::read::Unread;

/// The container port at which the metrics server serves the metrics API.
const SECURE: &str = "https";

/// Whether the Service leads to the pods of the metrics server, and there to the port of the metrics API.
pub(in crate::doctor) fn leads_to_the_pods(observed: &Observed) -> Vec<Finding> {
    let namespace = &observed.install_namespace;
    let object = format!("Service {namespace}/{METRICS_SERVER_SERVICE}");
    let service = match &observed.metrics_server_service {
        Ok(service) => service,
        Err(Unread::NotFound) => {
            return vec![
                Finding::problem(
                    object,
                    "does not exist: the API server does not find the metrics server",
                )
                .fix(AGAIN),
            ];
        }
        Err(why) => return vec![Finding::skipped(object, why.to_string())],
    };
    let template = match &observed.metrics_server {
        Ok(deployment) => &deployment.spec.template,
        Err(why) => return vec![Finding::skipped(object, format!("the Deployment: {why}"))],
    };
    vec![match wrong(service, template, asked_port(observed)) {
        Some(wrong) => Finding::problem(
            object,
            format!("{wrong}; connections that the API server has go on until they end"),
        )
        .fix(AGAIN),
        None => Finding::ok(object, "leads to the port of the metrics API in the pods"),
    }]
}

const AGAIN: &str =
    "kubectl apply -k manifests/install, or `helm upgrade`: both write the Service as it should be";

/// The port of the Service that the API server asks: that of the first APIService that leads to it.
fn asked_port(observed: &Observed) -> i32 {
    let registered = api_services::needed(observed).filter_map(|name| observed.api_service(name).ok());
    let mut ours = registered.filter(|service| api_services::leads_to_us(service, observed));
    let asked = ours
        .next()
        .and_then(|service| service.spec.as_ref()?.service.as_ref()?.port);
    // 443 is what an APIService without a port means.
    asked.unwrap_or(443)
}

/// What is wrong with the way from a port of the Service to the pods; `None` where nothing is, or where the Service is an
/// alias of a name, which has no ports of pods behind it.
fn wrong(service: &Service, template: &PodTemplateSpec, port: i32) -> Option<String> {
    let spec = service.spec.as_ref()?;
    if spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    let labels = template
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.labels.as_ref());
    for (key, value) in spec.selector.iter().flatten() {
        if labels.and_then(|labels| labels.get(key)) != Some(value) {
            return Some(format!(
                "spec.selector wants the label {key}={value}, which the pods of the Deployment do not have"
            ));
        }
    }
    let Some(of_service) = spec
        .ports
        .iter()
        .flatten()
        .find(|of_service| of_service.port == port)
    else {
        return Some(format!(
            "spec.ports has no port {port}, which the APIServices ask"
        ));
    };
    let containers = template.spec.iter().flat_map(|spec| &spec.containers);
    let ports: Vec<&ContainerPort> = containers
        .flat_map(|container| container.ports.iter().flatten())
        .collect();
    let target = target(of_service);
    let found = ports.iter().find(|port| match &target {
        IntOrString::Int(number) => port.container_port == *number,
        IntOrString::String(name) => port.name.as_deref() == Some(name),
    });
    let secure = ports.iter().find(|port| port.name.as_deref() == Some(SECURE));
    let words = match &target {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    };
    match (found, secure) {
        (None, _) => Some(format!(
            "the targetPort of port {port} is {words}, and no container of the pods has this port ({})",
            listed(&ports)
        )),
        (Some(found), Some(secure)) if found.container_port != secure.container_port => Some(format!(
            "the targetPort of port {port} is {words}, and the metrics API is served at port {SECURE} ({})",
            listed(&ports)
        )),
        _ => None,
    }
}

/// The port of the pods; without one it is that of the Service.
fn target(port: &ServicePort) -> IntOrString {
    port.target_port.clone().unwrap_or(IntOrString::Int(port.port))
}

fn listed(ports: &[&ContainerPort]) -> String {
    let listed = ports.iter().map(|port| match &port.name {
        Some(name) => format!("{name} {}", port.container_port),
        None => port.container_port.to_string(),
    });
    let listed: Vec<String> = listed.collect();
    if listed.is_empty() {
        "they have none".to_owned()
    } else {
        format!("they have {}", listed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{
        Severity,
        testing::{api_service, healthy, metrics_service, severities},
    };

    /// The finding where the Service is changed so.
    fn with(change: &serde_json::Value) -> Finding {
        let mut observed = healthy();
        observed.metrics_server_service = Ok(metrics_service(change));
        leads_to_the_pods(&observed).remove(0)
    }

    fn ports(target: &serde_json::Value) -> serde_json::Value {
        json!({"spec": {"ports": [{"port": 443, "targetPort": target}]}})
    }

    #[test]
    fn a_target_port_that_no_container_has_is_found_by_name_and_by_number() {
        for (target, words) in [
            (
                json!(6444),
                "the targetPort of port 443 is 6444, and no container",
            ),
            (
                json!("htps"),
                "is htps, and no container of the pods has this port (they have https 6443, metrics 8080)",
            ),
            (
                json!("metrics"),
                "is metrics, and the metrics API is served at port https",
            ),
            (
                json!(8080),
                "is 8080, and the metrics API is served at port https",
            ),
        ] {
            let found = with(&ports(&target));
            assert_eq!(found.severity, Severity::Problem, "{target}");
            assert!(found.message.contains(words), "{}", found.message);
        }
        for target in [json!("https"), json!(6443)] {
            assert_eq!(with(&ports(&target)).severity, Severity::Ok, "{target}");
        }
        let alias = json!({"spec": {"type": "ExternalName", "externalName": "localhost", "ports": null}});
        assert_eq!(with(&alias).severity, Severity::Ok);
    }

    #[test]
    fn another_selector_or_port_is_found() {
        let found = with(&json!({"spec": {"selector": {"app": "other"}}}));
        assert!(
            found.message.contains("spec.selector wants the label app=other"),
            "{}",
            found.message
        );
        let found = with(&json!({"spec": {"ports": [{"port": 444, "targetPort": "https"}]}}));
        assert!(
            found.message.contains("spec.ports has no port 443"),
            "{}",
            found.message
        );
        let mut observed = healthy();
        let other = json!({"spec": {"service": {"name": "other", "port": 6443}}});
        let of_another = api_service(api_services::CUSTOM[0], &other);
        observed
            .api_services
            .insert(api_services::CUSTOM[0].to_owned(), Ok(of_another));
        assert_eq!(
            severities(&leads_to_the_pods(&observed)),
            [Severity::Ok],
            "the port of another adapter says nothing of this Service"
        );
        let mut observed = healthy();
        observed.metrics_server_service = Err(Unread::NotFound);
        assert_eq!(severities(&leads_to_the_pods(&observed)), [Severity::Problem]);
    }
}
