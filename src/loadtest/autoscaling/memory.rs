//! Checks whether the memory of the pods grows over a run, with the same test and bound as for the latency.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use crate::{
    judge::Trend,
    model::{
        check::{Area, Check},
        scaling::Scaling,
    },
    scenario::threshold::in_percent,
};
use vas_core::k8s::quantity;

/// Average memory of a pod in bytes, by a PodMetricsList. `None` without pods, or if one of them has no
/// figure.
pub fn per_pod(answer: &Value) -> Option<f64> {
    let pods = answer.get("items")?.as_array()?;
    let mut total = 0.0;
    for pod in pods {
        for container in pod.get("containers")?.as_array()? {
            let memory = container.pointer("/usage/memory")?.as_str()?;
            total += quantity::parse(&Quantity(memory.to_owned())).ok()?.as_f64();
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of pods")]
    let count = pods.len() as f64;
    (count > 0.0).then_some(total / count)
}

/// Checks that the memory grows by less than the share `bound` of itself in an hour, or by no more than
/// noise.
pub fn check(scaling: &Scaling, bound: f64) -> Check {
    let points: Vec<(f64, f64)> = scaling
        .memory
        .iter()
        .map(|seen| (seen.at, seen.bytes_per_pod))
        .collect();
    let trend = Trend::through(&points);
    Check {
        name: format!("memory trend < {}/h", in_percent(bound)),
        area: Area::ServiceLevel,
        measured: trend.map_or_else(
            || format!("{} samples are too few", points.len()),
            |trend| {
                format!(
                    "{}/h, {} to {} with 95% certainty",
                    in_percent(trend.growth),
                    in_percent(trend.low),
                    in_percent(trend.high)
                )
            },
        ),
        // The growth is below the bound, or the 95 % interval contains zero.
        passed: trend.is_some_and(|trend| trend.growth < bound || trend.low <= 0.0),
        hint: None,
    }
    .or("something is kept that is no longer used: compare heap profiles of the beginning and the end")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::scaling::Memory;

    fn growing(by_hour: f64) -> Scaling {
        let memory = (0..60).map(|step| {
            let at = 15.0 * f64::from(step);
            let noise = if step % 2 == 0 { 1e5 } else { -1e5 };
            Memory {
                at,
                bytes_per_pod: 1e8 * (1.0 + by_hour * at / 3600.0) + noise,
            }
        });
        Scaling {
            memory: memory.collect(),
            ..Scaling::default()
        }
    }

    #[test]
    fn a_leak_is_found_and_noise_is_none() {
        assert!(check(&growing(0.0), 0.2).passed);
        assert!(check(&growing(0.1), 0.2).passed);
        let leak = check(&growing(0.4), 0.2);
        assert!(!leak.passed, "{leak:?}");
        assert_eq!(leak.name, "memory trend < 20%/h");
        // Without samples the check does not pass.
        let silent = check(&Scaling::default(), 0.2);
        assert!(
            !silent.passed && silent.measured.contains("0 samples"),
            "{silent:?}"
        );
    }

    #[test]
    fn memory_is_that_of_all_containers_over_the_pods() {
        let pod = |memory: &[&str]| {
            let containers: Vec<Value> = memory
                .iter()
                .map(|memory| json!({"usage": {"memory": memory}}))
                .collect();
            json!({"containers": containers})
        };
        assert_eq!(
            per_pod(&json!({"items": [pod(&["1Ki", "1Ki"]), pod(&["2Ki"])]})),
            Some(2048.0)
        );
        assert_eq!(per_pod(&json!({"items": []})), None);
        assert_eq!(per_pod(&json!({"items": [{"containers": [{}]}]})), None);
    }
}
