//! Configuration of other autoscalers. What holds for every input, whoever sent it: `make fuzz` searches for inputs that break it, and the unit
//! tests of `src/import` check the inputs that fuzzing has kept.

use vas_core::metrics::promql;
use vas_import::{adapter, documents, keda};

/// Configuration of other autoscalers. Each rule, HPA and ScaledObject gives an entry, or a reason why not.
pub(super) fn check(input: &[u8]) {
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
