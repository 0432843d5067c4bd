use std::collections::BTreeSet;

use axum::http::{
    HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIGroup, APIGroupList, APIResourceList};

use super::*;
use crate::metrics::path::Version;
use vas_core::metrics::registration::is_answer_of_vas;

const CUSTOM: &str = "custom.metrics.k8s.io";
const EXTERNAL: &str = "external.metrics.k8s.io";

fn versions(group: &APIGroup) -> Vec<&str> {
    group
        .versions
        .iter()
        .map(|version| version.version.as_str())
        .collect()
}

fn names(list: &APIResourceList) -> Vec<String> {
    list.resources
        .iter()
        .map(|resource| resource.name.clone())
        .collect()
}

#[test]
fn groups_list_every_version_that_is_served_and_the_preferred_one() {
    for (external, expected) in [(false, vec![CUSTOM]), (true, vec![CUSTOM, EXTERNAL])] {
        let discovery = Discovery::new(external);
        let groups: APIGroupList = discovery.plain.parsed();
        let names: Vec<&str> = groups.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, expected);
        for listed in &groups.groups {
            let group: APIGroup = discovery.group(&listed.name).unwrap().parsed();
            assert_eq!(&group, listed);
            let preferred = group
                .preferred_version
                .as_ref()
                .map(|version| version.version.as_str());
            assert_eq!(preferred, versions(&group).first().copied());
        }
        assert_eq!(versions(&groups.groups[0]), ["v1beta2", "v1beta1"]);
        assert_eq!(discovery.group(EXTERNAL).is_some(), external);
        assert_eq!(discovery.resources(Served::External).is_some(), external);
    }
}

#[test]
fn custom_metrics_are_listed_by_what_they_describe() {
    for version in Version::ALL {
        let served = Served::Custom(version);
        let list: APIResourceList = Discovery::new(true).resources(served).unwrap().parsed();
        assert_eq!(list.group_version, version.group_version());
        assert!(is_answer_of_vas(&list));
        assert!(names(&list).contains(&"pods/request-rate".to_owned()));
        for resource in &list.resources {
            assert_eq!(resource.kind, "MetricValueList");
            assert_eq!(resource.verbs, ["get"]);
            assert_eq!(resource.namespaced, !resource.name.starts_with("namespaces/"));
        }
        assert!(names(&list).contains(&"namespaces/queue-depth".to_owned()));
    }
}

#[test]
fn external_metrics_are_listed_by_themselves() {
    let list: APIResourceList = Discovery::new(true).resources(Served::External).unwrap().parsed();
    assert_eq!(list.group_version, "external.metrics.k8s.io/v1beta1");
    assert!(is_answer_of_vas(&list));
    assert_eq!(names(&list), ["queue-depth", "queue-age", "prometheus"]);
    for resource in &list.resources {
        assert_eq!(resource.kind, "ExternalMetricValueList");
        assert_eq!(resource.verbs, ["get"]);
        assert!(resource.namespaced);
    }
}

/// One version of the aggregated document as the aggregator converts it with client-go: names of resources
/// with a kind, each with whether it is namespaced.
fn converted(version: &Value) -> BTreeSet<(String, bool)> {
    let mut resources = BTreeSet::new();
    for parent in version["resources"].as_array().unwrap() {
        let name = parent["resource"].as_str().unwrap();
        let namespaced = match parent["scope"].as_str().unwrap() {
            "Namespaced" => true,
            "Cluster" => false,
            other => panic!("scope {other}"),
        };
        if parent["responseKind"]["kind"] != "" {
            resources.insert((name.to_owned(), namespaced));
        }
        for subresource in parent["subresources"].as_array().into_iter().flatten() {
            assert_eq!(subresource["verbs"], json!(["get"]));
            let name = format!("{name}/{}", subresource["subresource"].as_str().unwrap());
            resources.insert((name, namespaced));
        }
    }
    resources
}

#[test]
fn aggregated_discovery_says_the_same_as_plain_discovery() {
    for external in [false, true] {
        let discovery = Discovery::new(external);
        let groups: APIGroupList = discovery.plain.parsed();
        let aggregated: Value = discovery.aggregated.parsed();
        let items = aggregated["items"].as_array().unwrap();
        assert_eq!(items.len(), groups.groups.len());
        for (item, group) in items.iter().zip(&groups.groups) {
            assert_eq!(item["metadata"]["name"], group.name.as_str());
            let listed = item["versions"].as_array().unwrap();
            let listed: Vec<&str> = listed
                .iter()
                .filter_map(|version| version["version"].as_str())
                .collect();
            assert_eq!(listed, versions(group));
        }
        let listed = items.iter().flat_map(|item| item["versions"].as_array().unwrap());
        for (served, version) in Served::all(external).into_iter().zip(listed) {
            assert_eq!(version["freshness"], "Current");
            let list: APIResourceList = discovery.resources(served).unwrap().parsed();
            let plain: BTreeSet<(String, bool)> = list
                .resources
                .iter()
                .map(|resource| (resource.name.clone(), resource.namespaced))
                .collect();
            assert!(!plain.is_empty());
            assert_eq!(converted(version), plain);
        }
    }
}

#[test]
fn every_resource_and_subresource_has_a_response_kind_and_every_resource_is_there_once() {
    let aggregated: Value = Discovery::new(true).aggregated.parsed();
    let items = aggregated["items"].as_array().unwrap();
    let versions = items.iter().flat_map(|item| item["versions"].as_array().unwrap());
    for version in versions {
        let mut seen = BTreeSet::new();
        for parent in version["resources"].as_array().unwrap() {
            assert!(
                seen.insert(parent["resource"].as_str().unwrap()),
                "one scope: {parent}"
            );
            let children = parent["subresources"].as_array().into_iter().flatten();
            for resource in std::iter::once(parent).chain(children) {
                let kind = &resource["responseKind"];
                for field in ["group", "version", "kind"] {
                    assert!(kind[field].is_string(), "{resource}");
                }
            }
        }
    }
}

#[test]
fn apis_is_answered_in_the_form_that_is_asked_for() {
    let discovery = Discovery::new(false);
    let asked = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for (accept, expected) in [
        ("*/*", "application/json"),
        (asked, asked),
        ("application/vnd.kubernetes.protobuf, */*", "application/json"),
    ] {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        assert_eq!(discovery.groups(&headers).headers()[CONTENT_TYPE], expected);
    }
    assert_ne!(discovery.plain.hash(), discovery.aggregated.hash());
}

#[test]
fn every_start_renders_the_same_bytes() {
    let (one, other) = (Discovery::new(true), Discovery::new(true));
    assert_eq!(one.aggregated.hash(), other.aggregated.hash());
    assert_eq!(one.plain.hash(), other.plain.hash());
}
