//! Recognizes production, which is not tested unless the user asks for it.

use std::collections::BTreeMap;

/// Why a namespace or a resource counts as production; `None` if it does not.
pub(super) fn production(labels: &BTreeMap<String, String>, environment: Option<&str>) -> Option<String> {
    let named = |name: &str| matches!(name, "production" | "prod");
    let labelled = ["environment", "app.kubernetes.io/environment"]
        .into_iter()
        .find_map(|key| {
            let value = labels.get(key).filter(|value| named(value))?;
            Some(format!("its label {key}={value}"))
        });
    let active = environment.filter(|name| named(name));
    labelled.or_else(|| active.map(|name| format!("spec.environment is {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_told_by_labels_and_by_the_environment() {
        let labels = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(production(&labels("environment", "staging"), Some("dev")), None);
        assert!(production(&labels("environment", "production"), None).is_some());
        assert!(production(&labels("app.kubernetes.io/environment", "prod"), None).is_some());
        assert!(
            production(&BTreeMap::new(), Some("production"))
                .is_some_and(|why| why.contains("spec.environment"))
        );
    }
}
