//! A scenario file as it is written: only the fields that say something, in the order in which a person would
//! write them. [`document`](crate::scenario::document) has the types for reading.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// A scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scenario {
    /// One line that says where the scenario comes from.
    pub description: String,
    /// The load over time; `None` where there are several loads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// Several loads side by side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<Lane>,
    /// URLs of other hosts than the target, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, String>,
    /// What must hold for the run to pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<String>,
    /// What users do.
    pub journeys: Vec<Journey>,
}

/// The load over time: either users or a rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// Stages of the number of users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<Stage>,
    /// Stages of the journeys that begin per second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rate: Vec<Stage>,
    /// Number of journeys after which the run ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
}

impl Load {
    /// A load of users.
    pub fn users(users: Vec<Stage>) -> Self {
        Self {
            users,
            ..Self::default()
        }
    }

    /// A load of journeys per second.
    pub fn rate(rate: Vec<Stage>) -> Self {
        Self {
            rate,
            ..Self::default()
        }
    }
}

/// One of several loads side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lane {
    /// Name of the load.
    pub name: String,
    /// Time before the load begins, such as `30s`; `None`: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Names of the journeys of its users.
    pub journeys: Vec<String>,
    /// The load over time.
    #[serde(flatten)]
    pub load: Load,
}

/// A part of the load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Length, such as `2m`.
    pub duration: String,
    /// Level at the end of a ramp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// Constant level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
}

impl Stage {
    /// A stage at a constant level.
    pub fn at(level: f64, duration: &str) -> Self {
        Self {
            duration: duration.to_owned(),
            target: None,
            at: Some(level),
        }
    }

    /// A stage that ramps to a level.
    pub fn to(level: f64, duration: &str) -> Self {
        Self {
            duration: duration.to_owned(),
            target: Some(level),
            at: None,
        }
    }
}

/// What one kind of user does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Journey {
    /// Name of the journey.
    pub name: String,
    /// Pause after each step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<String>,
    /// Whether each user keeps cookies.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cookies: bool,
    /// Steps in their order.
    pub steps: Vec<Step>,
}

impl Journey {
    /// A journey of these steps. Steps whose names are the same get a number behind the name.
    pub fn of(name: &str, think: Option<&str>, steps: Vec<Step>) -> Self {
        let mut journey = Self {
            name: name.to_owned(),
            think: think.map(str::to_owned),
            cookies: false,
            steps,
        };
        let mut taken = BTreeSet::new();
        for step in &mut journey.steps {
            let given = step.name.clone().unwrap_or_else(|| step.call.name());
            let mut name = given.clone();
            let mut number = 2_usize;
            while !taken.insert(name.clone()) {
                name = format!("{given} ({number})");
                number += 1;
            }
            // A step without a name is called by its method and path.
            step.name = (name != step.call.name()).then_some(name);
        }
        journey
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Name in reports; `None`: method and path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Method and path.
    #[serde(flatten)]
    pub call: Call,
    /// Name of the host that the request goes to; `None`: the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Statuses that count as answered; empty for 200 to 399.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<u16>,
    /// Pause after the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<String>,
}

impl Step {
    /// A request without headers and body.
    pub fn new(call: Call) -> Self {
        Self {
            name: None,
            call,
            host: None,
            headers: BTreeMap::new(),
            body: None,
            expect: Vec::new(),
            think: None,
        }
    }

    /// Whether the text is in the path, a header or the body.
    pub(super) fn contains(&self, text: &str) -> bool {
        let headers = self.headers.values().map(String::as_str);
        let mut all = headers.chain(self.body.as_deref()).chain([self.call.path()]);
        all.any(|one| one.contains(text))
    }
}

/// Method and path of a request. It is written as one field, such as `get: /path`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// GET this path.
    Get(String),
    /// HEAD this path.
    Head(String),
    /// OPTIONS of this path.
    Options(String),
    /// POST to this path.
    Post(String),
    /// PUT to this path.
    Put(String),
    /// PATCH this path.
    Patch(String),
    /// DELETE this path.
    Delete(String),
}

impl Call {
    /// The call of this method, in any case; `None` for a method that a scenario cannot have.
    pub fn of(method: &str, path: String) -> Option<Self> {
        Some(match method.to_ascii_uppercase().as_str() {
            "GET" => Self::Get(path),
            "HEAD" => Self::Head(path),
            "OPTIONS" => Self::Options(path),
            "POST" => Self::Post(path),
            "PUT" => Self::Put(path),
            "PATCH" => Self::Patch(path),
            "DELETE" => Self::Delete(path),
            _ => return None,
        })
    }

    /// The name of a step that has no other one: method and path.
    pub fn name(&self) -> String {
        let (method, path) = self.parts();
        format!("{method} {path}")
    }

    /// The path with its query.
    pub fn path(&self) -> &str {
        self.parts().1
    }

    /// The same, to be changed.
    pub(super) fn path_mut(&mut self) -> &mut String {
        match self {
            Self::Get(path)
            | Self::Head(path)
            | Self::Options(path)
            | Self::Post(path)
            | Self::Put(path)
            | Self::Patch(path)
            | Self::Delete(path) => path,
        }
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Get(path) => ("GET", path),
            Self::Head(path) => ("HEAD", path),
            Self::Options(path) => ("OPTIONS", path),
            Self::Post(path) => ("POST", path),
            Self::Put(path) => ("PUT", path),
            Self::Patch(path) => ("PATCH", path),
            Self::Delete(path) => ("DELETE", path),
        }
    }
}
