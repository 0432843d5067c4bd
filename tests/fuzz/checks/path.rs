//! Paths and queries of requests to the metrics API. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/metrics_server` check the inputs that fuzzing has kept.

use vas_metrics_server::metrics::path::{Route, route, selectors};

/// Path and query of a request. Nothing panics, and a read is of the namespace that is in the path where
/// Kubernetes' authorization looks for it.
pub(super) fn check(input: &[u8]) {
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
