//! The load that a workload had in the past, as one series.
//!
//! Pods that are gone are in no list of the API server, and what a pod belonged to is in no label of its series. So the
//! pods of a workload are found by the names that its controller gives them:
//!
//! | kind | names of `web` |
//! | --- | --- |
//! | Deployment | `web-6c5f8d9b7-x2vbq`: a hash of at most 10 and a suffix of exactly 5 characters |
//! | StatefulSet | `web-0`, `web-1` |
//!
//! Hash and suffix have neither vowels nor `0`, `1` and `3`, so the pods of `web-api` are not taken for those of `web`.
//! Must not: take a pod of another workload, unless that one was named like a hash on purpose.

use std::time::Duration;

use super::{
    Labels,
    escape::{InvalidMatcherName, escape_regex},
    quote,
    shape::queries,
};
use crate::spec::model::Series;
use vas_api::v1alpha1::ScaleTargetRef;

/// The characters of Kubernetes' generated names.
const SAFE: &str = "[bcdfghjklmnpqrstvwxz2456789]";
/// Longest name of a Deployment whose pods are not cut: the name, `-`, a hash of 10 and `-` are at most 58 characters.
const LONGEST: usize = 46;

/// Why the load of the past cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferedError {
    /// The metric does not count what arrives.
    #[error(
        "it has no requestRate, which counts requests: say with --query what arrived, in requests per second"
    )]
    NoRate,
    /// The pods of this kind have no names that are known beforehand.
    #[error(
        "the names of the pods of a {0} are not known: say with --query what arrived, in requests per second"
    )]
    Kind(String),
    /// Kubernetes cuts the names of the pods.
    #[error(
        "the name {0} has more than {LONGEST} characters, so Kubernetes cuts the names of its pods: say with --query what arrived, in requests per second"
    )]
    Cut(String),
    /// A key of `matchLabels` is no label name.
    #[error("matchLabels: {0}")]
    MatchLabel(#[from] InvalidMatcherName),
}

/// PromQL for the requests per second that all pods of a workload answered over the `step` before each moment, pods that
/// are gone included.
///
/// # Errors
/// See [`OfferedError`].
pub fn offered(
    labels: &Labels,
    namespace: &str,
    series: &Series,
    target: &ScaleTargetRef,
    step: Duration,
) -> Result<String, OfferedError> {
    let Series::RequestRate {
        counter,
        match_labels,
        match_expressions,
        ..
    } = series
    else {
        return Err(OfferedError::NoRate);
    };
    let series = Series::RequestRate {
        counter: counter.clone(),
        match_labels: match_labels.clone(),
        match_expressions: match_expressions.clone(),
        window: step,
    };
    let pods = format!("{}=~{}", labels.pod, quote(&pods_of(target)?));
    let matcher = format!("{}={},{pods}", labels.namespace, quote(namespace));
    Ok(format!(
        "sum({})",
        queries(labels, &series, Some(&matcher))?.value
    ))
}

/// A regular expression for the names of a workload's pods; PromQL anchors it at both ends.
fn pods_of(target: &ScaleTargetRef) -> Result<String, OfferedError> {
    let name = escape_regex(&target.name);
    match target.kind.as_str() {
        "Deployment" if target.name.len() > LONGEST => Err(OfferedError::Cut(target.name.clone())),
        "Deployment" => Ok(format!("{name}-{SAFE}{{1,10}}-{SAFE}{{5}}")),
        "StatefulSet" => Ok(format!("{name}-[0-9]+")),
        kind => Err(OfferedError::Kind(kind.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn target(kind: &str, name: &str) -> ScaleTargetRef {
        ScaleTargetRef {
            api_version: "apps/v1".to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }

    fn pattern(kind: &str, name: &str) -> Regex {
        let pods = pods_of(&target(kind, name)).unwrap();
        Regex::new(&format!("^(?:{pods})$")).unwrap()
    }

    #[test]
    fn the_query_is_the_sum_of_the_rates_of_all_pods_that_the_workload_ever_had() {
        let labels = Labels::new(
            "namespace".parse().unwrap(),
            "pod".parse().unwrap(),
            crate::metrics::promql::Matchers::default(),
        )
        .unwrap();
        let rate = Series::RequestRate {
            counter: "http_requests_total".to_owned(),
            match_labels: [("code".to_owned(), "200".to_owned())].into(),
            match_expressions: Vec::new(),
            window: Duration::from_secs(120),
        };
        let minute = Duration::from_mins(1);
        let query = offered(&labels, "shop", &rate, &target("StatefulSet", "a.b"), minute).unwrap();
        assert_eq!(
            query,
            r#"sum(sum by (namespace, pod) (rate({__name__="http_requests_total",code="200",namespace="shop",pod=~"a\\.b-[0-9]+"}[60s])))"#
        );
        for (kind, name, error) in [
            ("Rollout", "web", OfferedError::Kind("Rollout".to_owned())),
            ("Deployment", &"a".repeat(47), OfferedError::Cut("a".repeat(47))),
        ] {
            let found = offered(&labels, "shop", &rate, &target(kind, name), minute);
            assert_eq!(found, Err(error));
        }
        let own = Series::Query {
            query: "sum(x)".to_owned(),
        };
        let found = offered(&labels, "shop", &own, &target("Deployment", "web"), minute);
        assert_eq!(found, Err(OfferedError::NoRate));
    }

    #[test]
    fn pods_of_a_workload_are_known_by_their_names() {
        let web = pattern("Deployment", "web");
        assert!(web.is_match("web-6c5f8d9b7-x2vbq") && web.is_match("web-9-bcdfg"));
        for other in [
            "web-api-6c5f8d9b7-x2vbq",
            "web-0",
            "web-6c5f8d9b7-x2vb",
            "my-web-9-bcdfg",
            "web-6c5f8d9b7-x2vbqq",
        ] {
            assert!(!web.is_match(other), "{other}");
        }
        assert!(
            pattern("StatefulSet", "db").is_match("db-12")
                && !pattern("StatefulSet", "db").is_match("db-a-0")
        );
    }

    proptest! {
        #[test]
        fn no_workload_takes_the_pods_of_another_whose_name_goes_on(
            name in "[a-z][a-z0-9]{0,10}(-[a-z0-9]{1,8}){0,2}",
            more in "[a-z0-9]{0,4}[aeiou][a-z0-9]{0,4}",
            hash in "[bcdfghjklmnpqrstvwxz2456789]{1,10}",
            suffix in "[bcdfghjklmnpqrstvwxz2456789]{5}",
            ordinal in 0_u32..100_000,
        ) {
            let pods = [format!("{name}-{more}-{hash}-{suffix}"), format!("{name}-{more}-{ordinal}")];
            for kind in ["Deployment", "StatefulSet"] {
                for pod in &pods {
                    prop_assert!(!pattern(kind, &name).is_match(pod), "{kind} {name} {pod}");
                }
            }
            let own = format!("{name}-{hash}-{suffix}");
            prop_assert!(pattern("Deployment", &name).is_match(&own));
        }
    }
}
