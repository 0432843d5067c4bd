//! The options of a k6 script, as `k6 inspect script.js` prints them: stages, executors and thresholds become
//! the load and the thresholds of a scenario. What the script does is a program, so its steps are to be
//! written.

mod load;
mod threshold;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    ImportError, Imported, LeftOut,
    scenario::{Call, Journey, Scenario, Step},
};

/// Options that say nothing about the load, and what stands for them in vas.
const OTHERS: [(&str, &str); 10] = [
    ("insecureSkipTLSVerify", "--insecure is the flag for it"),
    ("userAgent", "give the header with --header-file"),
    (
        "noConnectionReuse",
        "connections are kept, as users of a browser keep them",
    ),
    (
        "noVUConnectionReuse",
        "connections are kept, as users of a browser keep them",
    ),
    ("batch", "each list in `parallel` is sent at once"),
    ("rps", "a load by rate limits the requests per second"),
    ("hosts", "names are resolved as the system does"),
    ("dns", "names are resolved as the system does"),
    ("tlsAuth", "client certificates are not taken from k6"),
    ("maxRedirects", "--follow is the flag for it"),
];

/// Writes a scenario with the load and the thresholds of a script.
///
/// # Errors
/// When these are no options with a load.
pub fn import(file: &Value) -> Result<Imported, ImportError> {
    let kind = |why| ImportError::Kind {
        expected: "the options of a k6 script, as `k6 inspect SCRIPT` prints them",
        why,
    };
    // Scripts export an object `options`, and some people save it with its name.
    let options = file.get("options").unwrap_or(file);
    if !options.is_object() {
        return Err(kind("an object is missing"));
    }
    let mut left_out = Vec::new();
    let course = load::of(options, &mut left_out);
    let Some(course) = course else {
        if left_out.is_empty() {
            return Err(kind(
                "none of vus, duration, stages, iterations and scenarios is there",
            ));
        }
        return Err(ImportError::Nothing(left_out));
    };
    let thresholds = threshold::all(options, &mut left_out);
    for (name, why) in OTHERS {
        if options.get(name).is_some_and(is_set) {
            left_out.push(LeftOut::new(name, why));
        }
    }
    let steps = || vec![Step::new(Call::Get("/".to_owned()))];
    let journeys = course.functions.iter();
    let to_do = format!(
        "write the steps of the script's {} instead of GET /",
        if let [only] = course.functions.as_slice() {
            format!("{only} function")
        } else {
            format!("functions {}", course.functions.join(", "))
        }
    );
    let scenario = Scenario {
        hosts: BTreeMap::new(),
        description: "the load and thresholds of a k6 script".to_owned(),
        journeys: journeys
            .map(|function| Journey::of(function, None, steps()))
            .collect(),
        load: course.load,
        loads: course.loads,
        thresholds,
    };
    if let Err(why) = read(&scenario) {
        return Err(ImportError::Nothing(vec![LeftOut::new("the load", why)]));
    }
    Ok(Imported {
        scenario,
        target: None,
        left_out,
        variables: Vec::new(),
        to_do: vec![to_do],
    })
}

/// Whether an option says something. `k6 inspect` prints those that a script does not set as null, some of them
/// inside an object.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Object(fields) => fields.values().any(is_set),
        Value::Array(items) => !items.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) => true,
    }
}

/// Reads the scenario as a run would.
///
/// # Errors
/// What is wrong with it.
fn read(scenario: &Scenario) -> Result<(), String> {
    let text = serde_json::to_string(scenario).map_err(|error| error.to_string())?;
    let no_files = |_: &str| Err("it has no files".to_owned());
    let read = crate::scenario::parse(&text, "k6", &no_files);
    read.map(drop).map_err(|error| error.to_string())
}
