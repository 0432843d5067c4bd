//! Takes the objects of a document out of the lists that contain them.

use serde_json::Value;

/// Deepest nesting of lists that is unpacked. A deeper list is returned as an object.
const MAX_DEPTH: usize = 8;

/// The objects of a document: the items of a `List` or of a typed list such as `HorizontalPodAutoscalerList`,
/// or else the document itself. Items of a typed list get their version and kind from the list, because the
/// API server leaves them out of the items.
#[must_use]
pub fn objects(document: Value) -> Vec<Value> {
    let mut objects = Vec::new();
    unpack(document, 0, &mut objects);
    objects
}

fn unpack(document: Value, depth: usize, objects: &mut Vec<Value>) {
    let kind = document.get("kind").and_then(Value::as_str);
    let item_kind = kind.and_then(|kind| kind.strip_suffix("List")).map(str::to_owned);
    let version = document.get("apiVersion").cloned();
    match (document, item_kind) {
        (Value::Null, _) => {}
        (Value::Object(mut fields), Some(item_kind)) if depth < MAX_DEPTH => {
            let Some(Value::Array(items)) = fields.remove("items") else {
                return;
            };
            for mut item in items {
                if let Value::Object(fields) = &mut item
                    && !item_kind.is_empty()
                    && !fields.contains_key("kind")
                {
                    fields.insert("kind".to_owned(), Value::String(item_kind.clone()));
                    if let Some(version) = &version {
                        fields.entry("apiVersion").or_insert_with(|| version.clone());
                    }
                }
                unpack(item, depth + 1, objects);
            }
        }
        (document, _) => objects.push(document),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_any_kind_are_unpacked() {
        let list = json!({"kind": "List", "items": [
            {"kind": "HorizontalPodAutoscalerList", "apiVersion": "autoscaling/v2", "items": [{"metadata": {"name": "a"}}]},
            {"kind": "ConfigMap"},
            null,
        ]});
        assert_eq!(
            objects(list),
            [
                json!({"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": {"name": "a"}}),
                json!({"kind": "ConfigMap"}),
            ]
        );
        assert_eq!(objects(json!({"kind": "List"})), [] as [Value; 0]);
    }
}
