//! Finds where the user wrote a field of the merged spec.
//!
//! Rules check the merged result of an environment and name a field by its meaning, such as `maxReplicas` of
//! workload `worker` ([`FieldPath`]). [`Origin`] finds the place that the value came from: the environment's
//! override if that holds the field, else the base. Example: `spec.environments[1].workloads[0].maxReplicas`.
//! Invariant: it mirrors the merge of [`crate::spec::environment`]. A part that is replaced as a whole
//! there is looked up as a whole here.

use std::fmt::Write as _;

use serde_json::Value;

use crate::document::DisplayKey;

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A field of a struct.
    Field(&'static str),
    /// The element of a list-map with this `name`.
    Named(String),
    /// The element of a plain list at this position.
    Index(usize),
    /// The entry of a map with this key.
    Key(String),
}

/// A field of the spec, independent of where it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(Vec<Step>);

/// Finds the places of the merged fields of one environment.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The spec as JSON.
    spec: &'a Value,
    /// Position of the environment in `spec.environments`; `None` for the base values.
    environment: Option<usize>,
}

/// A field as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Path from the root of the object, for example `spec.environments[1].workloads[0].maxReplicas`.
    pub path: String,
    /// The same as a JSON Pointer (RFC 6901), for example `/spec/environments/1/workloads/0/maxReplicas`. It leads to
    /// something only if the elements of lists on the way are there.
    pub pointer: String,
    /// The value of the field as compact JSON; `null` if the user wrote none.
    pub value: String,
    /// Whether the environment's override holds the field.
    pub overridden: bool,
}

impl FieldPath {
    /// The path of the workload with this name.
    pub fn workload(name: &str) -> Self {
        Self::default().field("workloads").named(name)
    }

    /// A field of the struct this path leads to.
    #[must_use]
    pub fn field(&self, name: &'static str) -> Self {
        self.then(Step::Field(name))
    }

    /// The element with this name of the list-map this path leads to.
    #[must_use]
    pub fn named(&self, name: &str) -> Self {
        self.then(Step::Named(name.to_owned()))
    }

    /// The element at this position of the plain list this path leads to.
    #[must_use]
    pub fn index(&self, position: usize) -> Self {
        self.then(Step::Index(position))
    }

    /// The entry with this key of the map this path leads to.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Number of leading steps to the part that an override replaces as a whole. Example: in
    /// `workloads[api].metrics[rate].requestRate.window` that part is `requestRate`, which 5 of the 6 steps
    /// lead to.
    fn merge_unit(&self) -> usize {
        let unit = match self.0.as_slice() {
            [
                Step::Field("workloads"),
                _,
                Step::Field("metrics" | "schedules" | "behavior"),
                ..,
            ] => 5,
            [Step::Field("workloads"), ..] => 3,
            [Step::Field("limits"), ..] => 2,
            _ => 1,
        };
        unit.min(self.0.len())
    }
}

impl<'a> Origin<'a> {
    /// For the merged values of one environment. `environment` is its index in `spec.environments`, `None`
    /// for the base values.
    pub fn new(spec: &'a Value, environment: Option<usize>) -> Self {
        Self { spec, environment }
    }

    /// Finds where a field was written.
    pub fn locate(&self, path: &FieldPath) -> Located {
        // The override counts if it holds the part that is replaced as a whole, even without this very field.
        let unit = path.0.get(..path.merge_unit()).unwrap_or_default();
        let overrides = self.environment.and_then(|position| {
            let value = self.spec.get("environments")?.get(position)?;
            walk(value, unit, &mut Way::default())?;
            let way = Way {
                path: format!("spec.environments[{position}]"),
                pointer: format!("/spec/environments/{position}"),
            };
            Some((way, value))
        });
        let overridden = overrides.is_some();
        let (mut way, root) = overrides.unwrap_or_else(|| {
            let way = Way {
                path: "spec".to_owned(),
                pointer: "/spec".to_owned(),
            };
            (way, self.spec)
        });
        let value = walk(root, &path.0, &mut way).unwrap_or(&Value::Null);
        Located {
            path: way.path,
            pointer: way.pointer,
            value: value.to_string(),
            overridden,
        }
    }
}

/// The steps to a value in both notations.
#[derive(Default)]
struct Way {
    path: String,
    pointer: String,
}

impl Way {
    /// Adds one step.
    fn push(&mut self, path: std::fmt::Arguments<'_>, pointer: &str) {
        // Writing to a String cannot fail.
        let _ = self.path.write_fmt(path);
        self.pointer.push('/');
        self.pointer
            .push_str(&pointer.replace('~', "~0").replace('/', "~1"));
    }
}

/// Follows the steps to a value, and writes down every step, also those that lead to nothing.
fn walk<'v>(root: &'v Value, steps: &[Step], way: &mut Way) -> Option<&'v Value> {
    let mut value = Some(root);
    for step in steps {
        value = match step {
            Step::Field(name) => {
                way.push(format_args!(".{name}"), name);
                value.and_then(|value| value.get(name))
            }
            Step::Named(name) => {
                let position = value.and_then(|value| position_of(value, name));
                match position {
                    Some(position) => way.push(format_args!("[{position}]"), &position.to_string()),
                    None => way.push(format_args!("[name={name}]"), "-"),
                }
                value
                    .zip(position)
                    .and_then(|(value, position)| value.get(position))
            }
            Step::Index(position) => {
                way.push(format_args!("[{position}]"), &position.to_string());
                value.and_then(|value| value.get(position))
            }
            Step::Key(key) => {
                way.push(format_args!("{}", DisplayKey(key)), key);
                value.and_then(|value| value.get(key))
            }
        };
    }
    value.filter(|value| !value.is_null())
}

fn position_of(list: &Value, name: &str) -> Option<usize> {
    list.as_array()?
        .iter()
        .position(|entry| entry.get("name").and_then(Value::as_str) == Some(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec() -> Value {
        json!({
            "workloads": [
                {"name": "api", "maxReplicas": 5, "metrics": [{"name": "cpu", "resource": {"name": "cpu"}}]},
                {"name": "worker", "maxReplicas": 3, "metrics": []},
            ],
            "limits": {"resourceQuota": {"hard": {"requests.cpu": "4"}}},
            "environments": [
                {"name": "dev"},
                {"name": "production", "workloads": [
                    {"name": "worker", "maxReplicas": 8, "metrics": [{"name": "depth", "queueDepth": {}}]},
                ]},
            ],
        })
    }

    fn locate(environment: Option<usize>, path: &FieldPath) -> (String, String) {
        let located = Origin::new(&spec(), environment).locate(path);
        (located.path, located.value)
    }

    #[test]
    fn a_field_that_the_environment_writes_is_found_there() {
        let path = FieldPath::workload("worker").field("maxReplicas");
        assert_eq!(
            locate(Some(1), &path),
            (
                "spec.environments[1].workloads[0].maxReplicas".to_owned(),
                "8".to_owned()
            )
        );
    }

    #[test]
    fn a_field_that_the_environment_leaves_alone_is_found_in_the_base() {
        let path = FieldPath::workload("worker").field("maxReplicas");
        for environment in [None, Some(0)] {
            assert_eq!(
                locate(environment, &path),
                ("spec.workloads[1].maxReplicas".to_owned(), "3".to_owned())
            );
        }
    }

    #[test]
    fn what_is_missing_in_a_unit_that_the_environment_replaces_is_missing_there() {
        let path = FieldPath::workload("worker")
            .field("metrics")
            .named("depth")
            .field("queueDepth")
            .field("target");
        assert_eq!(
            locate(Some(1), &path),
            (
                "spec.environments[1].workloads[0].metrics[0].queueDepth.target".to_owned(),
                "null".to_owned()
            )
        );
    }

    #[test]
    fn the_pointer_leads_to_the_value_in_the_whole_object() {
        let object = json!({"spec": spec()});
        let quota = FieldPath::default().field("limits").field("resourceQuota");
        for (environment, path) in [
            (Some(1), FieldPath::workload("worker").field("maxReplicas")),
            (Some(0), FieldPath::workload("worker").field("maxReplicas")),
            (
                None,
                FieldPath::workload("api")
                    .field("metrics")
                    .named("cpu")
                    .field("resource")
                    .field("name"),
            ),
            (None, quota.field("hard").key("requests.cpu")),
        ] {
            let located = Origin::new(&object["spec"], environment).locate(&path);
            let found = object.pointer(&located.pointer).unwrap();
            assert_eq!(found.to_string(), located.value, "{}", located.pointer);
        }
        let key = quota.field("hard").key("example.com/gpu");
        assert_eq!(
            Origin::new(&object["spec"], None).locate(&key).pointer,
            "/spec/limits/resourceQuota/hard/example.com~1gpu"
        );
    }

    #[test]
    fn keys_with_dots_are_quoted() {
        let path = FieldPath::default()
            .field("limits")
            .field("resourceQuota")
            .field("hard")
            .key("requests.cpu");
        assert_eq!(
            locate(None, &path),
            (
                r#"spec.limits.resourceQuota.hard["requests.cpu"]"#.to_owned(),
                r#""4""#.to_owned()
            )
        );
    }
}
