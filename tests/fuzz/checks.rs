//! Properties that hold for every input of a parser, whoever sent it. The fuzz targets search for inputs that
//! break them. `tests/integration/fuzz_corpus.rs` checks the kept inputs with every `make test`.

#![allow(dead_code, reason = "each fuzz target checks one parser")]

use std::collections::BTreeMap;

use vas_core::{
    k8s::{label_selector::LabelSelector, quantity},
    metrics::promql,
    spec::rules::document,
};
use vas_import::{adapter, documents, keda};
use vas_metrics_server::metrics::path::{Route, route, selectors};
use vas_prometheus::parse_answer;

/// Path and query of a request. Nothing panics, and a read is of the namespace that is in the path where
/// Kubernetes' authorization looks for it.
pub(super) fn path(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let _ = selectors(query);
    let (namespace, name, metric, length) = match route(path) {
        Ok(Route::Metric(read)) => (read.namespace, Some(read.name), read.metric, 8),
        Ok(Route::Namespace(read)) => (read.namespace, None, read.metric, 7),
        Ok(Route::External(read)) => (read.namespace, None, read.metric, 6),
        _ => return,
    };
    let raw: Vec<&str> = path
        .trim_start_matches('/')
        .trim_end_matches('/')
        .split('/')
        .collect();
    let at = |index: usize| raw.get(index).map(|segment| decoded(segment)).unwrap_or_default();
    assert_eq!(at(4), namespace, "the namespace in {path:?}");
    assert_eq!(at(length - 1), metric, "the metric in {path:?}");
    if let Some(name) = name {
        assert_eq!(at(6), name, "the name in {path:?}");
    }
}

/// Percent-decoding, implemented in another way than the parser's.
fn decoded(segment: &str) -> String {
    let mut parts = segment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("the parser took it"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("the parser took it")
}

/// A label selector. Its text form and its object form select the same labels.
pub(super) fn selector(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(selector) = text.parse::<LabelSelector>() else {
        return;
    };
    let object = LabelSelector::from(&selector.object());
    // Labels from the selector, and others.
    let words: Vec<&str> = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .take(8)
        .collect();
    let labels = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let mut tried = vec![labels(&[]), labels(&[("app", "web")])];
    for pair in words.windows(2) {
        tried.push(labels(&[(pair[0], pair[1])]));
        tried.push(labels(&[(pair[0], ""), (pair[1], pair[0])]));
    }
    for labels in tried {
        assert_eq!(
            selector.matches(&labels),
            object.matches(&labels),
            "{text:?} on {labels:?}"
        );
    }
}

/// A quantity. The value that is read is the one in the text, and a measured value keeps its size.
pub(super) fn quantity(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(amount) = quantity::parse_str(text)
    {
        let value = amount.as_f64();
        let plain = text.trim_end_matches(|char: char| !char.is_ascii_digit() && char != '.');
        if plain == text
            && let Ok(read) = text.parse::<f64>()
        {
            assert!(
                (read - value).abs() <= read.abs() * 1e-12 + 1e-9,
                "{text:?} is {read}, not {value}"
            );
        }
        let rounded = quantity::parse_str(&format!("{}m", amount.milli_ceil()));
        let rounded = rounded.expect("milli-units are a quantity");
        assert!(rounded >= amount, "{text:?} was rounded down");
        assert_eq!(amount.plus(quantity::Amount::ZERO), amount);
    }
    if let Some(bytes) = input.first_chunk::<8>() {
        let value = f64::from_le_bytes(*bytes);
        match quantity::from_measurement(value) {
            None => assert!(
                !(0.0..=quantity::MAX_VALUE).contains(&value),
                "{value} was refused"
            ),
            Some(text) => {
                let read = quantity::parse_str(&text).expect("our own text").as_f64();
                assert!(
                    (read - value).abs() <= 0.001 + value * 1e-12,
                    "{value} became {read}"
                );
                assert_eq!(
                    read > 0.0,
                    value > 0.0,
                    "{value} became {read}: zero is never made up"
                );
            }
        }
    }
}

/// An answer of Prometheus. Half an answer is never taken for a whole one.
pub(super) fn answer(input: &[u8]) {
    let Ok(whole) = parse_answer(input) else {
        return;
    };
    let end = input.trim_ascii_end().len();
    for cut in [end / 4, end / 2, end.saturating_sub(1)] {
        let part = parse_answer(&input[..cut]);
        assert!(part.is_err(), "{cut} of {end} bytes were taken for {part:?}");
    }
    for item in &whole.vector {
        assert!(!item.time.is_nan(), "a sample without a time");
    }
}

/// An author's query. It is refused, or it is bound to the namespace in every selector, and the query that is
/// sent can be parsed again.
pub(super) fn query(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let _ = promql::advise(text);
    let label = "namespace".parse().expect("a label name");
    let Ok(sent) = promql::pin_namespace(text, &label, "mine") else {
        return;
    };
    let selectors = without_strings(&sent);
    for selector in selectors.split('{').skip(1) {
        let matchers = selector.split('}').next().unwrap_or_default();
        assert!(
            matchers.contains("namespace=\"\""),
            "{sent:?} reads another namespace"
        );
    }
    match promql::parse(&sent) {
        Ok(tree) => assert_eq!(promql::render(&tree).as_deref(), Ok(sent.as_str()), "{text:?}"),
        Err(error) => assert!(
            matches!(error, promql::QueryError::TooComplex { .. }),
            "{sent:?}: {error}"
        ),
    }
}

/// A rendered query without the contents of its strings. All strings in it are in double quotes.
fn without_strings(rendered: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut characters = rendered.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if quoted => drop(characters.next()),
            '"' => {
                quoted = !quoted;
                text.push('"');
            }
            _ if quoted => {}
            other => text.push(other),
        }
    }
    text
}

/// A resource in a file. Every rule runs on any content.
pub(super) fn resource(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(documents) = serde_saphyr::from_multiple::<serde_json::Value>(text) else {
        return;
    };
    for document in documents {
        let checked = document::check(&document, None);
        for violation in checked.validation.violations {
            assert!(!violation.rule.is_empty(), "{document}: {violation}");
        }
    }
}

/// Configuration of other autoscalers. Each rule, HPA and ScaledObject gives an entry, or a reason why not.
pub(super) fn import(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let parse =
        |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).map_err(|error| error.to_string());
    let Ok(document) = parse(text) else {
        return;
    };
    let objects = documents::objects(document.clone());
    let _ = keda::convert("imported", "namespace", &objects);
    let Ok(sources) = adapter::read(&[document], parse) else {
        return;
    };
    for entry in adapter::convert(&sources, None).entries {
        if let Some(source) = entry.metric.prometheus {
            assert!(promql::parse(&source.query).is_ok(), "{}", source.query);
        }
    }
}
