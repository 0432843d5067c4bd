//! Reads YAML and JSON as users write them: values, and the line and column of each field.
//!
//! Must not: know what the documents mean, or show messages of the YAML library to a user. [`SyntaxError`]
//! has messages of our own.

mod located;
mod places;
mod problem;

use serde_json::Value;

use located::Node;
pub use places::{Place, Places};
pub use problem::SyntaxError;

/// One document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The content; null for an empty document, such as after a stray `---`.
    pub value: Value,
    /// Line and column of each field.
    pub places: Places,
}

/// Reads every document of a text. Anchors and aliases are resolved. Depth, number and size of the values are
/// bounded.
///
/// # Errors
/// At the first place that is not YAML.
pub fn parse(text: &str) -> Result<Vec<Document>, SyntaxError> {
    let nodes: Vec<serde_saphyr::Spanned<Node>> =
        serde_saphyr::from_multiple(text).map_err(|error| SyntaxError::of(&error))?;
    Ok(nodes.into_iter().map(Document::from).collect())
}

/// Reads the value of a text with one document.
///
/// # Errors
/// At the first place that is not YAML, and for a text with several documents.
pub fn parse_one(text: &str) -> Result<Value, SyntaxError> {
    let mut documents = parse(text)?;
    match (documents.pop(), documents.is_empty()) {
        (None, _) => Ok(Value::Null),
        (Some(only), true) => Ok(only.value),
        (Some(last), false) => Err(SyntaxError {
            place: Some(last.places.find("")),
            problem: "another document begins here; keep one".to_owned(),
        }),
    }
}

impl From<serde_saphyr::Spanned<Node>> for Document {
    fn from(node: serde_saphyr::Spanned<Node>) -> Self {
        let (value, places) = node.value.at(Place::of(node.referenced));
        Self { value, places }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "\
# a comment
apiVersion: v1
spec:
  list:
  - name: a
    map: {x.y: 1, z: [true, \"off\"]}
  -
    name: b
---
kind: Second
";

    #[test]
    fn values_are_those_of_the_text() {
        let documents = parse(TEXT).unwrap();
        assert_eq!(
            documents[0].value,
            json!({"apiVersion": "v1", "spec": {"list": [
                {"name": "a", "map": {"x.y": 1, "z": [true, "off"]}},
                {"name": "b"},
            ]}})
        );
        assert_eq!(documents[1].value, json!({"kind": "Second"}));
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn a_field_is_found_at_its_name_and_an_item_at_its_start() {
        let documents = parse(TEXT).unwrap();
        let find = |path: &str| {
            let place = documents[0].places.find(path);
            (place.line, place.column)
        };
        for (path, place) in [
            ("apiVersion", (2, 1)),
            ("spec", (3, 1)),
            ("spec.list", (4, 3)),
            ("spec.list[0]", (5, 5)),
            ("spec.list[0].map", (6, 5)),
            (r#"spec.list[0].map["x.y"]"#, (6, 11)),
            ("spec.list[0].map.z[1]", (6, 29)),
            ("spec.list[1].name", (8, 5)),
        ] {
            assert_eq!(find(path), place, "{path}");
        }
        assert_eq!(
            documents[1].places.find("kind").line,
            10,
            "lines count through the file"
        );
    }

    #[test]
    fn what_is_not_written_is_looked_for_where_it_belongs() {
        let documents = parse(TEXT).unwrap();
        let find = |path: &str| documents[0].places.find(path).line;
        assert_eq!(find("spec.list[0].maxReplicas"), 5);
        assert_eq!(find(r#"spec.list[1].a["b.c"].d"#), 8);
        assert_eq!(find("spec.list[name=c].x"), 4);
        assert_eq!(find("metadata.name"), 2, "the start of the document");
    }

    #[test]
    fn one_document_is_not_two() {
        assert_eq!(parse_one("a: 1\n").unwrap(), json!({"a": 1}));
        assert_eq!(parse_one("").unwrap(), Value::Null);
        let error = parse_one("a: 1\n---\nb: 2\n").unwrap_err();
        assert_eq!(
            error.located(),
            "line 3, column 1: another document begins here; keep one"
        );
    }

    #[test]
    fn json_is_yaml_and_an_alias_stands_where_it_is_used() {
        let json = parse("{\n  \"spec\": {\"a\": 1}\n}").unwrap();
        assert_eq!(json[0].places.find("spec.a"), Place { line: 2, column: 12 });
        let aliased = parse("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(aliased[0].value["c"]["b"], json!(1));
        assert_eq!(aliased[0].places.find("c").line, 2);
    }

    #[test]
    fn mistakes_have_a_place_and_our_own_words() {
        let mut wrong = Vec::new();
        for (text, line, words) in [
            ("a: 1\na: 2\n", 2, "the field a is there twice"),
            ("a: \"b\nc: d\n", 1, "quote"),
            ("a: {b: 1\nc: 2\n", 2, "bracket"),
            ("a:\n\tb: 1\n", 2, "tab"),
            ("a: b: c\n", 1, "put the value in quotes"),
            ("a:\n  b: 1\n c: 2\n", 3, "indentation"),
            ("a: *b\n", 1, "no anchor"),
            ("a: @b\n", 1, "cannot start with @"),
            ("a: .nan\n", 1, "is no number"),
            ("{{ .Values.x }}\n", 1, ""),
        ] {
            let error = parse(text).expect_err(text);
            let found = error.place.map(|place| place.line);
            if !error.problem.contains(words) || found != Some(line) {
                wrong.push(format!("{text:?}: {found:?}: {error}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_would_cost_more_than_a_manifest_is_refused() {
        let nested = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        let bomb: String = std::iter::once("a0: &a0 x\n".to_owned())
            .chain((1..12).map(|n| {
                let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
                format!("a{n}: &a{n} [{aliases}]\n")
            }))
            .collect();
        for text in [nested, bomb] {
            let error = parse(&text).unwrap_err();
            assert!(error.problem.contains("at most"), "{error}");
        }
    }
}
