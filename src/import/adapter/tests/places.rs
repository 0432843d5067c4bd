//! The places where rules are found.

use super::*;

fn documents(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| parse(text).unwrap()).collect()
}

#[test]
fn every_document_and_every_configmap_is_read() {
    let map = |name: &str, key: &str, text: &str| json!({"kind": "ConfigMap", "metadata": {"name": name}, "data": {key: text, "other": "not: rules", "no": "{"}});
    let external = "externalRules:\n- seriesQuery: depth\n  resources: {template: <<.Resource>>}\n  metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>})'\n";
    let all = [
        json!({"kind": "Deployment"}),
        map("one", "config.yaml", REQUESTS),
        map("two", "rules.yml", external),
    ];
    let import = convert(&read(&all, parse).unwrap(), None);
    assert_eq!(import.entries.len(), 2, "{import:?}");
    assert!(
        import.entries[1].comments[0].starts_with("ConfigMap two, rules.yml: externalRules[0]:"),
        "{:?}",
        import.entries[1].comments
    );
}

/// Indents the lines by `by` columns.
fn shifted(text: &str, columns: usize) -> String {
    let mut shifted = String::new();
    for line in text.lines() {
        shifted.extend([" ".repeat(columns).as_str(), line, "\n"]);
    }
    shifted
}

#[test]
fn helm_values_are_read() {
    let list = REQUESTS.trim_start().trim_start_matches("rules:\n");
    let indented = shifted(list, 4);
    let values = format!(
        "prometheus: {{port: 9090}}\nrules:\n  default: false\n  custom:\n{indented}  external: []\n"
    );
    let import = convert(&config(&values), None);
    assert_eq!(
        entry(&import)["requestRate"]["counter"],
        json!("http_requests_total")
    );
    assert_eq!(import.notes, [] as [String; 0]);

    let inner = shifted(&values, 2);
    let umbrella = format!("prometheus-adapter:\n{inner}");
    assert_eq!(convert(&config(&umbrella), None).entries.len(), 1);

    let with_default = values.replace("  default: false\n", "");
    let import = convert(
        &config(&with_default),
        Some(&hpa(&PODS_TARGET.replace("per_second", "other"))),
    );
    assert!(
        import.notes.iter().any(|note| note.contains("rules.default")),
        "{import:?}"
    );
    assert!(refused(&import).contains("not in this file"));
    let existing = values.replace("default: false", "existing: mine");
    assert!(convert(&config(&existing), None).notes[0].contains("ConfigMap mine"));
}

#[test]
fn empty_fields_are_fields_left_out() {
    let text = REQUESTS.replace("  name:", "  seriesFilters:\n  labelValueReplacements:\n  name:")
        + "externalRules:\nresourceRules:\n";
    assert_eq!(
        entry(&convert(&config(&text), None))["requestRate"]["counter"],
        json!("http_requests_total")
    );
    let bare = "rules:\n- seriesQuery: 'jobs_waiting'\n  name:\n  resources: {template: <<.Resource>>, overrides: }\n  metricsQuery: 'max(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'\n";
    let import = convert(&config(bare), Some(&hpa(SERVICE_TARGET)));
    assert_eq!(
        entry(&import)["queueDepth"]["matchLabels"],
        json!({"service": "mail"})
    );
}

#[test]
fn documents_without_rules_are_refused() {
    for (texts, error) in [
        (vec!["{kind: ConfigMap, data: {}}"], ConfigError::EmptyConfigMap),
        (vec!["{kind: Deployment}"], ConfigError::NoRules),
        (vec![], ConfigError::NoRules),
    ] {
        assert_eq!(read(&documents(&texts), parse), Err(error));
    }
    for text in [
        "rules: 5",
        "{kind: ConfigMap, metadata: {name: a}, data: {x: '{'}}",
    ] {
        assert!(
            matches!(
                read(&documents(&[text]), parse),
                Err(ConfigError::Malformed { .. })
            ),
            "{text}"
        );
    }
}
