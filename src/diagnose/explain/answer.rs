//! Parses the answers of the metrics APIs as the HPA controller does, in
//! `pkg/controller/podautoscaler/metrics/client.go`.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use serde_json::Value;

use vas_core::hpa::{Milli, Reading, Sample, Source, milli};

/// The values of one metric, and the time of the oldest of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) reading: Reading,
    pub(super) sampled: Option<Timestamp>,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Usage {
    metadata: Named,
    timestamp: Timestamp,
    #[serde(default)]
    window: String,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    usage: BTreeMap<String, Quantity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Custom {
    described_object: Named,
    timestamp: Option<Timestamp>,
    value: Quantity,
}

#[derive(Deserialize)]
struct External {
    timestamp: Option<Timestamp>,
    value: Quantity,
}

/// Parses the answer about one metric.
///
/// # Errors
/// If the controller would see an error: for an empty list, and for several values of one object.
pub(super) fn read(source: &Source, answer: &Value) -> Result<Answer, String> {
    match source {
        Source::Resource { resource } => usage(parse(answer)?, resource, None),
        Source::ContainerResource { resource, container } => usage(parse(answer)?, resource, Some(container)),
        Source::Pods => {
            let items = parse::<Custom>(answer)?;
            let mut samples = BTreeMap::new();
            for item in &items {
                let at = item.timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
                let sample = Sample {
                    value: amount(&item.value)?,
                    at,
                    window: Duration::ZERO,
                };
                samples.insert(item.described_object.name.clone(), sample);
            }
            per_pod(samples, items.iter().filter_map(|item| item.timestamp).min())
        }
        // `GetObjectMetric`: exactly one value.
        Source::Object => match parse::<Custom>(answer)?.as_slice() {
            [item] => Ok(Answer {
                reading: Reading::Total(amount(&item.value)?),
                sampled: item.timestamp,
            }),
            items => Err(format!("the API returned {} values for one object", items.len())),
        },
        // `GetExternalMetric` returns all values, and the controller sums them.
        Source::External => {
            let items = parse::<External>(answer)?;
            if items.is_empty() {
                return Err("the API returned no series".to_owned());
            }
            let mut total: Milli = 0;
            for item in &items {
                total = total.saturating_add(amount(&item.value)?);
            }
            Ok(Answer {
                reading: Reading::Total(total),
                sampled: items.iter().filter_map(|item| item.timestamp).min(),
            })
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(answer: &Value) -> Result<Vec<T>, String> {
    let list = List::<T>::deserialize(answer);
    list.map(|list| list.items)
        .map_err(|error| format!("the answer is not a list of values: {error}"))
}

fn amount(quantity: &Quantity) -> Result<Milli, String> {
    milli(quantity).ok_or_else(|| format!("the value {:?} is not a quantity", quantity.0))
}

/// Sums the usage of the containers of each pod. A pod counts as missing if one of its containers lacks the
/// resource, or if no container is listed (`getPodMetrics`).
fn usage(items: Vec<Usage>, resource: &str, container: Option<&str>) -> Result<Answer, String> {
    let mut samples = BTreeMap::new();
    for item in items {
        let containers = item.containers.iter();
        let counted: Vec<_> = containers
            .filter(|one| container.is_none_or(|wanted| one.name == wanted))
            .map(|one| one.usage.get(resource).and_then(milli))
            .collect();
        let sum = counted
            .iter()
            .try_fold(0_i64, |sum, value| Some(sum.saturating_add((*value)?)));
        if let (false, Some(value)) = (counted.is_empty(), sum) {
            let window = go_duration(&item.window).unwrap_or_default();
            samples.insert(
                item.metadata.name,
                Sample {
                    value,
                    at: item.timestamp,
                    window,
                },
            );
        }
    }
    let oldest = samples.values().map(|sample| sample.at).min();
    per_pod(samples, oldest)
}

fn per_pod(samples: BTreeMap<String, Sample>, oldest: Option<Timestamp>) -> Result<Answer, String> {
    if samples.is_empty() {
        return Err("the API returned no value for any pod".to_owned());
    }
    Ok(Answer {
        reading: Reading::PerPod(samples),
        sampled: oldest,
    })
}

/// Parses a duration in Go's format: `10.062s`, `1m30s`, `500ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (value, tail) = rest.split_at(number);
        let unit = tail
            .find(|char: char| char.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += value.parse::<f64>().ok()? * scale;
        rest = tail;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CPU: &str = "cpu";

    fn cpu() -> Source {
        Source::Resource {
            resource: CPU.to_owned(),
        }
    }

    fn usage_of(containers: Value) -> Value {
        json!({"items": [{"metadata": {"name": "p"}, "timestamp": "2026-01-01T00:00:00Z",
                          "window": "1m10.5s", "containers": containers}]})
    }

    #[test]
    fn the_usage_of_a_pod_is_the_sum_over_its_containers() {
        let answer = usage_of(json!([
            {"name": "a", "usage": {"cpu": "12345678n"}}, {"name": "b", "usage": {"cpu": "2"}},
        ]));
        let Reading::PerPod(samples) = read(&cpu(), &answer).unwrap().reading else {
            panic!()
        };
        assert_eq!(samples["p"].value, 2013);
        assert_eq!(samples["p"].window, Duration::from_millis(70_500));
        let one = Source::ContainerResource {
            resource: CPU.to_owned(),
            container: "b".to_owned(),
        };
        let Reading::PerPod(samples) = read(&one, &answer).unwrap().reading else {
            panic!()
        };
        assert_eq!(samples["p"].value, 2000);
    }

    #[test]
    fn a_container_without_the_resource_makes_its_pod_missing() {
        let answer = usage_of(json!([{"name": "a", "usage": {"cpu": "1"}}, {"name": "b", "usage": {}}]));
        assert!(
            read(&cpu(), &answer)
                .unwrap_err()
                .contains("no value for any pod")
        );
        assert!(read(&cpu(), &usage_of(json!([]))).is_err());
    }

    #[test]
    fn external_series_add_up_and_none_is_not_zero() {
        let answer = json!({"items": [
            {"value": "1500m", "timestamp": "2026-01-01T00:00:05Z"}, {"value": "2", "timestamp": "2026-01-01T00:00:00Z"},
        ]});
        let answer = read(&Source::External, &answer).unwrap();
        assert_eq!(answer.reading, Reading::Total(3500));
        assert_eq!(answer.sampled.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert!(read(&Source::External, &json!({"items": []})).is_err());
    }

    #[test]
    fn an_object_has_exactly_one_value() {
        let item = json!({"describedObject": {"name": "q"}, "value": "7", "timestamp": null});
        assert_eq!(
            read(&Source::Object, &json!({"items": [item]})).unwrap().reading,
            Reading::Total(7000)
        );
        for items in [json!([]), json!([item, item])] {
            assert!(read(&Source::Object, &json!({"items": items})).is_err());
        }
    }
}
