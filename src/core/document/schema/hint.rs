//! Guesses at what was meant: by the wrong value, by the field that does not exist.
//!
//! A hint never decides anything. It is added to a refusal that stands without it.

use serde_json::Value;

use super::{
    Step, Vocabulary,
    node::{Kind, Node},
    render,
    words::nearest,
};
use crate::api::schema::{API_VERSION_PATTERN, DURATION_PATTERN, METRIC_PATTERN, QUANTITY_PATTERN};

/// Fields of other autoscalers' resources, and the field here that does the same. Of several
/// names the first that the object knows is the one.
const FOREIGN: &[(&str, &[&str])] = &[
    ("maxReplicaCount", &["maxReplicas"]),
    ("minReplicaCount", &["minReplicas"]),
    ("replicas", &["minReplicas"]),
    ("max", &["maxReplicas"]),
    ("min", &["minReplicas"]),
    ("targetRef", &["scaleTargetRef"]),
    ("target", &["scaleTargetRef"]),
    ("triggers", &["metrics"]),
    ("selector", &["matchLabels"]),
    ("labels", &["matchLabels"]),
    ("metricName", &["counter", "gauge", "query", "name"]),
    ("metric", &["counter", "gauge", "query", "name"]),
    ("serverAddress", &["prometheusServer"]),
    ("server", &["prometheusServer"]),
    ("expr", &["query"]),
    ("threshold", &["target"]),
    ("targetValue", &["value"]),
    ("targetAverageValue", &["averageValue"]),
    ("targetAverageUtilization", &["averageUtilization"]),
    ("utilization", &["averageUtilization"]),
    ("containerName", &["container", "name"]),
    ("containerPolicies", &["containers"]),
    ("stabilizationWindow", &["stabilizationWindowSeconds"]),
    ("policy", &["policies", "selectPolicy"]),
    ("period", &["periodSeconds"]),
    ("step", &["policies"]),
    ("range", &["window"]),
    ("interval", &["window"]),
    ("paused", &["suspend"]),
    ("pdb", &["disruption"]),
    ("podDisruptionBudget", &["disruption"]),
    ("vpa", &["vertical"]),
    ("cpu", &["resource"]),
    ("memory", &["resource"]),
];

/// Fields of other autoscalers' resources that no single field replaces, and what does.
const REPLACED: &[(&str, &str)] = &[
    (
        "targetCPUUtilizationPercentage",
        "write it as a metric: {name: cpu, resource: {name: cpu, target: {averageUtilization: 70}}}",
    ),
    (
        "cooldownPeriod",
        "for time before scale-down use behavior.scaleDown.stabilizationWindowSeconds",
    ),
    (
        "pollingInterval",
        "the metrics server sets how often it polls (--poll-interval)",
    ),
    ("idleReplicaCount", "use minReplicas: 0"),
    ("initialCooldownPeriod", "no field does the same; remove it"),
    (
        "fallback",
        "without data the HPA holds its replicas; onMissing of a metric changes that",
    ),
    ("advanced", "use behavior beside minReplicas"),
    (
        "activationThreshold",
        "no field does the same; with minReplicas: 0 any value above zero wakes the workload",
    ),
    ("updatePolicy", "use updateMode"),
    ("resourcePolicy", "use containers"),
    (
        "metadata",
        "write its fields here: there is one level less than in KEDA",
    ),
    ("type", "the field that is set says the type; remove it"),
    (
        "metricType",
        "target.value and target.averageValue say the type; remove it",
    ),
    ("pods", "use requestRate or podGauge"),
    ("object", "use queueDepth, queueAge or prometheus"),
];

/// How many levels deeper a misplaced field is looked for.
const MOST_LEVELS: usize = 2;
/// How many places are named at most.
const MOST_PLACES: usize = 3;

/// What was probably meant by a value of the wrong kind or form.
pub(super) fn of_value(node: &Node, value: &Value) -> Option<String> {
    let pattern = node.pattern.as_ref().map(regex::Regex::as_str);
    match (node.kind, value) {
        (Kind::String, Value::String(text)) if node.allowed.is_some() => allowed(node, text),
        (Kind::String, Value::Bool(_)) => {
            Some("without quotes, Off, On, Yes and No are read as true or false: write \"Off\"".to_owned())
        }
        (Kind::String, Value::Number(number)) if pattern == Some(DURATION_PATTERN) => {
            Some(format!("a duration needs a unit: write {number}s"))
        }
        (Kind::String, Value::Number(number)) => Some(format!("put it in quotes: \"{number}\"")),
        (Kind::IntOrString, Value::Number(number)) if pattern == Some(QUANTITY_PATTERN) => {
            Some(quantity(number.as_f64()?))
        }
        (Kind::Integer, Value::String(text)) if text.parse::<i64>().is_ok() => {
            Some(format!("without quotes: {text}"))
        }
        (Kind::Boolean, Value::Object(fields)) if fields.contains_key("metric") => Some(
            "an External metric is queueDepth, queueAge or prometheus with external: true beside it"
                .to_owned(),
        ),
        (Kind::Array, Value::Object(_)) => Some("start each entry with a dash: `- name: ...`".to_owned()),
        (Kind::Object, Value::Array(_)) => Some("remove the dash".to_owned()),
        (_, Value::String(text)) => of_text(pattern?, text),
        _ => None,
    }
}

/// The word of a fixed set that was probably meant.
fn allowed(node: &Node, text: &str) -> Option<String> {
    let words = node.allowed.iter().flatten().filter_map(Value::as_str);
    match nearest(text, words, usize::MAX) {
        Some(word) => Some(format!("did you mean {word}?")),
        None if text == "Auto" => Some("what a VPA calls Auto is Recreate".to_owned()),
        None => None,
    }
}

/// How many levels a relative path leads down.
fn levels(path: &str) -> usize {
    path.matches('.').count()
}

/// A number with a fraction is no JSON integer, and a quantity must be one or a string.
fn quantity(number: f64) -> String {
    let milli = number * 1000.0;
    if milli > 0.0 && milli < 1e15 && milli.fract() == 0.0 {
        format!("write a fraction in quotes, or in thousandths: \"{number}\" or {milli}m")
    } else {
        format!("write a fraction in quotes: \"{number}\"")
    }
}

fn of_text(pattern: &str, text: &str) -> Option<String> {
    match pattern {
        DURATION_PATTERN if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("a duration needs a unit: write {text}s"))
        }
        METRIC_PATTERN => {
            let (name, labels) = text.split_once('{')?;
            let first = labels
                .split(['=', '!', '~', '}'])
                .next()
                .unwrap_or_default()
                .trim();
            let first = if first.is_empty() { "label" } else { first };
            Some(format!(
                "labels stand in matchLabels beside it: the name is {name}, then matchLabels: {{{first}: ...}}"
            ))
        }
        API_VERSION_PATTERN if text == "apps" => Some("write apps/v1".to_owned()),
        API_VERSION_PATTERN if !text.contains('/') => Some(format!("write {text}/v1 if v1 is its version")),
        _ => None,
    }
}

/// An object on the way to the field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level<'a> {
    pub(super) node: &'a Node,
    pub(super) value: &'a Value,
    /// How many steps lead to it.
    pub(super) depth: usize,
}

/// A field that the schema does not know, with what is around it.
pub(super) struct Unknown<'a> {
    pub(super) name: &'a str,
    pub(super) vocabulary: Vocabulary,
    /// The steps to the object that holds it.
    pub(super) place: &'a [Step],
    /// That object.
    pub(super) holder: Level<'a>,
    /// The objects around that one, the outermost first.
    pub(super) around: &'a [Level<'a>],
}

impl Unknown<'_> {
    /// The rule it breaks, with the best guess there is.
    pub(super) fn rule(&self) -> String {
        let guess = self
            .spelling(1)
            .or_else(|| self.foreign())
            .or_else(|| self.inside())
            .or_else(|| self.outside())
            .or_else(|| self.replaced())
            .or_else(|| self.spelling(usize::MAX))
            .unwrap_or_else(|| "remove it".to_owned());
        format!("unknown field; {guess}")
    }

    fn knows(&self, name: &str) -> bool {
        self.holder.node.properties.contains_key(name)
    }

    /// What a list of foreign words says of the name.
    fn of<T>(&self, list: &'static [(&'static str, T)]) -> Option<&'static (&'static str, T)> {
        list.iter()
            .find(|(foreign, _)| self.vocabulary == Vocabulary::Autoscaling && *foreign == self.name)
    }

    /// A known field that is spelled like it, at most `most` letters apart.
    fn spelling(&self, most: usize) -> Option<String> {
        let known = self.holder.node.properties.keys().map(String::as_str);
        nearest(self.name, known, most).map(|known| format!("did you mean {known}?"))
    }

    /// Another resource's name for a field of this object.
    fn foreign(&self) -> Option<String> {
        let (_, names) = self.of(FOREIGN)?;
        let here = names.iter().find(|name| self.knows(name))?;
        Some(format!("did you mean {here}?"))
    }

    /// Another resource's field that no single field replaces.
    fn replaced(&self) -> Option<String> {
        let (_, instead) = self.of(REPLACED)?;
        Some((*instead).to_owned())
    }

    /// A field of the objects inside: it stands too high. Objects that are written go before those that could be.
    fn inside(&self) -> Option<String> {
        let mut found = Vec::new();
        self.collect(self.holder.node, Some(self.holder.value), "", &mut found);
        let written = found.iter().any(|(_, written)| *written);
        found.retain(|(_, is_written)| *is_written == written);
        let nearest = found.iter().map(|(place, _)| levels(place)).min();
        let places: Vec<&str> = found
            .iter()
            .map(|(place, _)| place.as_str())
            .filter(|place| Some(levels(place)) == nearest)
            .take(MOST_PLACES)
            .collect();
        (!places.is_empty()).then(|| format!("it belongs deeper: {}", places.join(" or ")))
    }

    /// Adds the paths of objects inside `node` that know the field, and whether those objects are written.
    fn collect(&self, node: &Node, value: Option<&Value>, path: &str, found: &mut Vec<(String, bool)>) {
        for (field, child) in &node.properties {
            let inner = value.and_then(|value| value.get(field));
            let (child, inner, step) = match &child.items {
                Some(items) => (&**items, inner.and_then(|list| list.get(0)), format!("{field}[]")),
                None => (child, inner, field.clone()),
            };
            let path = if path.is_empty() {
                step
            } else {
                format!("{path}.{step}")
            };
            if child.properties.contains_key(self.name) {
                found.push((format!("{path}.{}", self.name), inner.is_some()));
            } else if levels(&path) + 1 < MOST_LEVELS {
                self.collect(child, inner, &path, found);
            }
        }
    }

    /// A field of an object around: it stands too deep.
    fn outside(&self) -> Option<String> {
        let level = self
            .around
            .iter()
            .rfind(|level| level.node.properties.contains_key(self.name))?;
        let object = render(self.place.get(..level.depth)?);
        Some(format!("it belongs higher: {object}.{}", self.name))
    }
}
