//! The options of a k6 script, as `k6 inspect script.js` prints them: stages, executors and thresholds become
//! the load and the thresholds of a scenario. What the script does is a program, so its steps are to be
//! written.

mod load;
mod threshold;

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
    ("batch", "requests of one user follow one another"),
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
    let load = load::of(options, &mut left_out);
    let Some(load) = load else {
        if left_out.is_empty() {
            return Err(kind(
                "none of vus, duration, stages, iterations and scenarios is there",
            ));
        }
        return Err(ImportError::Nothing(left_out));
    };
    let thresholds = threshold::all(options, &mut left_out);
    for (name, why) in OTHERS {
        let is_set = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        if options.get(name).is_some_and(is_set) {
            left_out.push(LeftOut::new(name, why));
        }
    }
    Ok(Imported {
        scenario: Scenario {
            description: "the load and thresholds of a k6 script".to_owned(),
            load,
            thresholds,
            journeys: vec![Journey::of(
                "user",
                None,
                vec![Step::new(Call::Get("/".to_owned()))],
            )],
        },
        target: None,
        left_out,
        to_do: vec!["write the steps of the script's default function instead of GET /".to_owned()],
    })
}
