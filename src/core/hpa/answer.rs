//! Parses the answers of the metrics APIs as the HPA controller does, in
//! `pkg/controller/podautoscaler/metrics/client.go`.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use serde_json::Value;

use super::{
    milli::{Milli, milli},
    pods::Sample,
    propose::{Reading, Samples},
    spec::{Metric, Source, Target},
};

/// The values of one metric, and the time of the oldest of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The values.
    pub reading: Reading,
    /// The time of the oldest value; `None` if none says its time.
    pub sampled: Option<Timestamp>,
}

/// Why an answer is none to the controller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It has another form.
    #[error("the answer is not a list of values: {0}")]
    Malformed(String),
    /// A value is no quantity.
    #[error("the value {0:?} is not a quantity")]
    NotAQuantity(String),
    /// There is not exactly one value of the object.
    #[error("the API returned {0} values for one object")]
    NotOneValue(usize),
    /// No external series.
    #[error("the API returned no series")]
    NoSeries,
    /// No pod, or none whose containers all have the resource.
    #[error("the API returned no value for any pod")]
    NoPod,
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

/// Parses the answer about one metric. `pods` are the names of the pods under the selector, each a cohort of one.
///
/// # Errors
/// If the controller would see an error: for an empty list, and for several values of one object.
pub fn read(metric: &Metric, answer: &Value, pods: &[String]) -> Result<Answer, AnswerError> {
    match &metric.source {
        Source::Resource { resource } => usage(parse(answer)?, resource, None, pods),
        Source::ContainerResource { resource, container } => {
            usage(parse(answer)?, resource, Some(container), pods)
        }
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
            let oldest = items.iter().filter_map(|item| item.timestamp).min();
            per_pod(samples, oldest, pods)
        }
        // `GetObjectMetric`: exactly one value.
        Source::Object => match parse::<Custom>(answer)?.as_slice() {
            [item] => Ok(Answer {
                reading: Reading::Total(amount(&item.value)?),
                sampled: item.timestamp,
            }),
            items => Err(AnswerError::NotOneValue(items.len())),
        },
        // `GetExternalMetric` returns all values, and the controller sums them.
        Source::External => {
            let items = parse::<External>(answer)?;
            if items.is_empty() {
                return Err(AnswerError::NoSeries);
            }
            let values: Result<Vec<Milli>, _> = items.iter().map(|item| amount(&item.value)).collect();
            Ok(Answer {
                reading: Reading::Total(sum(&values?, metric.target)),
                sampled: items.iter().filter_map(|item| item.timestamp).min(),
            })
        }
    }
}

/// The sum of external series. The controller looks for an overflow while it adds. For an `AverageValue` it takes
/// every negative sum for one, and then the largest number counts (`GetExternalPerPodMetricReplicas`): a series of
/// -5 asks for as many replicas as there can be. For a `Value`, -5 is -5 (`GetExternalMetricReplicas`).
fn sum(values: &[Milli], target: Target) -> Milli {
    let per_pod = matches!(target, Target::AverageValue(_));
    let mut sum: Milli = 0;
    for value in values {
        if !per_pod && *value > 0 && sum > Milli::MAX - value {
            return Milli::MAX;
        }
        sum = sum.wrapping_add(*value);
        if per_pod && sum < 0 {
            return Milli::MAX;
        }
    }
    sum
}

fn parse<T: serde::de::DeserializeOwned>(answer: &Value) -> Result<Vec<T>, AnswerError> {
    let list = List::<T>::deserialize(answer);
    list.map(|list| list.items)
        .map_err(|error| AnswerError::Malformed(error.to_string()))
}

fn amount(quantity: &Quantity) -> Result<Milli, AnswerError> {
    milli(quantity).ok_or_else(|| AnswerError::NotAQuantity(quantity.0.clone()))
}

/// Sums the usage of the containers of each pod. A pod counts as missing if one of its containers lacks the
/// resource, or if no container is listed (`getPodMetrics`).
fn usage(
    items: Vec<Usage>,
    resource: &str,
    container: Option<&str>,
    pods: &[String],
) -> Result<Answer, AnswerError> {
    let mut samples = BTreeMap::new();
    for item in items {
        let containers = item.containers.iter();
        let counted: Vec<_> = containers
            .filter(|one| container.is_none_or(|wanted| one.name == wanted))
            .map(|one| one.usage.get(resource).and_then(milli))
            .collect();
        let sum = counted
            .iter()
            .try_fold(0_i64, |sum, value| Some(sum.wrapping_add((*value)?)));
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
    per_pod(samples, oldest, pods)
}

fn per_pod(
    mut samples: BTreeMap<String, Sample>,
    oldest: Option<Timestamp>,
    pods: &[String],
) -> Result<Answer, AnswerError> {
    if samples.is_empty() {
        return Err(AnswerError::NoPod);
    }
    let of_cohorts = pods.iter().map(|pod| samples.remove(pod)).collect();
    let strangers = samples.values().map(|sample| sample.value).collect();
    Ok(Answer {
        reading: Reading::PerPod(Samples {
            of_cohorts,
            strangers,
        }),
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

    fn of(source: Source) -> Metric {
        let target = Target::AverageValue(1000);
        Metric { source, target }
    }

    fn cpu() -> Metric {
        of(Source::Resource {
            resource: CPU.to_owned(),
        })
    }

    /// The sample of the pod `p`, the only one under the selector.
    fn sample_of_p(metric: &Metric, answer: &Value) -> Result<Sample, AnswerError> {
        match read(metric, answer, &["p".to_owned()])?.reading {
            Reading::PerPod(samples) => Ok(samples.of_cohorts[0].unwrap()),
            Reading::Total(_) => panic!(),
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
        let sample = sample_of_p(&cpu(), &answer).unwrap();
        assert_eq!(sample.value, 2013);
        assert_eq!(sample.window, Duration::from_millis(70_500));
        let one = of(Source::ContainerResource {
            resource: CPU.to_owned(),
            container: "b".to_owned(),
        });
        assert_eq!(sample_of_p(&one, &answer).unwrap().value, 2000);
        // Only the pods under the selector are known by name.
        let Reading::PerPod(samples) = read(&one, &answer, &[]).unwrap().reading else {
            panic!()
        };
        assert_eq!(samples.strangers, [2000]);
    }

    #[test]
    fn a_container_without_the_resource_makes_its_pod_missing() {
        let answer = usage_of(json!([{"name": "a", "usage": {"cpu": "1"}}, {"name": "b", "usage": {}}]));
        assert_eq!(sample_of_p(&cpu(), &answer), Err(AnswerError::NoPod));
        assert_eq!(sample_of_p(&cpu(), &usage_of(json!([]))), Err(AnswerError::NoPod));
    }

    #[test]
    fn external_series_add_up_and_none_is_not_zero() {
        let answer = json!({"items": [
            {"value": "1500m", "timestamp": "2026-01-01T00:00:05Z"}, {"value": "2", "timestamp": "2026-01-01T00:00:00Z"},
        ]});
        let answer = read(&of(Source::External), &answer, &[]).unwrap();
        assert_eq!(answer.reading, Reading::Total(3500));
        assert_eq!(answer.sampled.unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert!(read(&of(Source::External), &json!({"items": []}), &[]).is_err());
    }

    #[test]
    fn a_negative_sum_of_external_series_is_the_largest_number_for_an_average_alone() {
        let total = |values: &[&str], target| {
            let items: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
            let metric = Metric {
                source: Source::External,
                target,
            };
            read(&metric, &json!({"items": items}), &[]).unwrap().reading
        };
        let (average, value) = (Target::AverageValue(1000), Target::Value(1000));
        assert_eq!(total(&["-5"], average), Reading::Total(i64::MAX));
        assert_eq!(total(&["-5"], value), Reading::Total(-5000));
        // The running sum counts, so the order does.
        assert_eq!(total(&["7", "-5"], average), Reading::Total(2000));
        assert_eq!(total(&["-5", "7"], average), Reading::Total(i64::MAX));
        let most = ["9000000000000000", "9000000000000000"];
        assert_eq!(total(&most, average), Reading::Total(i64::MAX));
        assert_eq!(total(&most, value), Reading::Total(i64::MAX));
    }

    #[test]
    fn an_object_has_exactly_one_value() {
        let item = json!({"describedObject": {"name": "q"}, "value": "7", "timestamp": null});
        assert_eq!(
            read(&of(Source::Object), &json!({"items": [item]}), &[])
                .unwrap()
                .reading,
            Reading::Total(7000)
        );
        for items in [json!([]), json!([item, item])] {
            assert!(read(&of(Source::Object), &json!({"items": items}), &[]).is_err());
        }
    }
}
