//! The CustomResourceDefinition that vas ships.

use kube::CustomResourceExt;
use serde_json::Value;

use super::VoiceAssistScaling;

/// The CRD, with each paragraph of a description on one line. `kubectl explain` wraps lines itself and would
/// also show the line breaks of the source.
pub fn crd() -> Value {
    // These types always serialize to JSON.
    let mut crd = serde_json::to_value(VoiceAssistScaling::crd()).unwrap_or_default();
    unwrap_descriptions(&mut crd);
    crd
}

fn unwrap_descriptions(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "description" => *text = unwrap_lines(text),
                    value => unwrap_descriptions(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_descriptions),
        _ => {}
    }
}

fn unwrap_lines(text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect();
    paragraphs.join("\n\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_join_and_paragraphs_stay() {
        let mut value =
            json!({"description": "a\nb\n\nc", "properties": [{"description": "d\ne"}], "pattern": "f\ng"});
        unwrap_descriptions(&mut value);
        assert_eq!(
            value,
            json!({"description": "a b\n\nc", "properties": [{"description": "d e"}], "pattern": "f\ng"})
        );
    }
}
