//! Hints: guesses at what the user meant by a wrong value or by an unknown field.
//!
//! A hint never decides anything. It is added to a message about a value that is refused anyway.

use serde_json::Value;

use super::{
    Step, Vocabulary,
    node::{Kind, Node},
    render,
    words::nearest,
};
use vas_api::schema::{
    API_VERSION_PATTERN, DURATION_PATTERN, LONG_DURATION_PATTERN, METRIC_PATTERN, QUANTITY_PATTERN,
};

/// Fields of other autoscalers' resources, and the fields here that do the same. If there are several, the
/// first one that the object knows is suggested.
const FOREIGN: &[(&str, &[&str])] = &[
    ("desiredReplicas", &["minReplicas"]),
    ("cron", &["schedules", "schedule"]),
    ("start", &["schedule"]),
    ("startTime", &["at"]),
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

/// Fields of other autoscalers' resources that no single field replaces, and what to do instead.
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

/// Number of levels below an object in which a misplaced field is searched.
const MOST_LEVELS: usize = 2;
/// Largest number of places that a hint names.
const MOST_PLACES: usize = 3;

/// A hint for a value of a wrong type or form.
pub(super) fn of_value(vocabulary: Vocabulary, node: &Node, value: &Value) -> Option<String> {
    match vocabulary {
        Vocabulary::Autoscaling => of_autoscaling(node, value).or_else(|| of_notation(node, value)),
        Vocabulary::Kubernetes => of_notation(node, value),
        Vocabulary::Other => None,
    }
}

/// A hint for what users of other autoscalers write, and for values that are no secret.
fn of_autoscaling(node: &Node, value: &Value) -> Option<String> {
    let pattern = node.pattern.as_ref().map(regex::Regex::as_str);
    match (node.kind, value) {
        (Kind::String, Value::String(text)) if node.allowed.is_some() && text == "Auto" => {
            allowed(node, text).or_else(|| Some("what a VPA calls Auto is Recreate".to_owned()))
        }
        (Kind::String, Value::Bool(_)) => {
            Some("without quotes, Off, On, Yes and No are read as true or false: write \"Off\"".to_owned())
        }
        (Kind::String, Value::Number(number)) if !pattern.is_some_and(is_duration) => {
            Some(format!("put it in quotes: \"{number}\""))
        }
        (Kind::Boolean, Value::Object(fields)) if fields.contains_key("metric") => Some(
            "an External metric is queueDepth, queueAge or prometheus with external: true beside it"
                .to_owned(),
        ),
        _ => None,
    }
}

/// A hint for the notation of a value. A value of a wrong type is repeated only where the field holds no
/// secret.
fn of_notation(node: &Node, value: &Value) -> Option<String> {
    let pattern = node.pattern.as_ref().map(regex::Regex::as_str);
    match (node.kind, value) {
        (Kind::String, Value::String(text)) if node.allowed.is_some() => allowed(node, text),
        (Kind::String, Value::Bool(_)) => {
            Some("put it in quotes: without them, Off, On, Yes and No are read as true or false".to_owned())
        }
        (Kind::String, Value::Number(number)) if pattern.is_some_and(is_duration) => {
            Some(format!("a duration needs a unit: write {number}s"))
        }
        (Kind::String, Value::Number(_)) => Some("put it in quotes".to_owned()),
        (Kind::IntOrString, Value::Number(number)) if pattern == Some(QUANTITY_PATTERN) => {
            Some(quantity(number.as_f64()?))
        }
        (Kind::Integer, Value::String(text)) if text.parse::<i64>().is_ok() => {
            Some(format!("without quotes: {text}"))
        }
        (Kind::Array, Value::Object(_)) => Some("start each entry with a dash: `- name: ...`".to_owned()),
        (Kind::Object, Value::Array(_)) => Some("remove the dash".to_owned()),
        (_, Value::String(text)) => of_text(pattern?, text),
        _ => None,
    }
}

/// A hint for a text that is not in a fixed set of words. Where the set has one word, the rule says it already.
fn allowed(node: &Node, text: &str) -> Option<String> {
    let words = node.allowed.as_ref().filter(|words| words.len() > 1)?;
    let word = nearest(text, words.iter().filter_map(Value::as_str), usize::MAX)?;
    Some(format!("did you mean {word}?"))
}

fn is_duration(pattern: &str) -> bool {
    [DURATION_PATTERN, LONG_DURATION_PATTERN].contains(&pattern)
}

/// Number of levels that a relative path leads down.
fn levels(path: &str) -> usize {
    path.matches('.').count()
}

/// A hint for a quantity that is a number with a fraction. Quantities are whole numbers or strings.
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
        DURATION_PATTERN | LONG_DURATION_PATTERN
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
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
    /// Number of steps from the root to the object.
    pub(super) depth: usize,
}

/// A field that the schema does not know, with the objects around it.
pub(super) struct Unknown<'a> {
    pub(super) name: &'a str,
    pub(super) vocabulary: Vocabulary,
    /// The steps from the root to `holder`.
    pub(super) place: &'a [Step],
    /// The object that holds the field.
    pub(super) holder: Level<'a>,
    /// The objects around `holder`, the outermost first.
    pub(super) around: &'a [Level<'a>],
}

impl Unknown<'_> {
    /// The rule text for the field, with the best guess.
    pub(super) fn rule(&self) -> String {
        // From the most to the least certain: one wrong letter, another tool's field, a wrong level, a similar
        // name.
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

    /// The entry for the field's name in a list of other autoscalers' fields.
    fn of<T>(&self, list: &'static [(&'static str, T)]) -> Option<&'static (&'static str, T)> {
        list.iter()
            .find(|(foreign, _)| self.vocabulary == Vocabulary::Autoscaling && *foreign == self.name)
    }

    /// A known field that is spelled like this one, with at most `most` different letters.
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

    /// For a field that stands too high: the objects inside `holder` that have such a field. Objects that the
    /// user wrote go before those that the schema only allows.
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

    /// Adds the paths of objects inside `node` that know the field, and whether the user wrote those objects.
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

    /// For a field that stands too deep: the nearest object around `holder` that has such a field.
    fn outside(&self) -> Option<String> {
        let level = self
            .around
            .iter()
            .rfind(|level| level.node.properties.contains_key(self.name))?;
        let object = render(self.place.get(..level.depth)?);
        Some(format!("it belongs higher: {object}.{}", self.name))
    }
}
