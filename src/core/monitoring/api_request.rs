//! The verb of a request to the API server, as audit logs and rights name it.

/// The verb of a request. A path with a name behind the resource is about one object, one without is about all of a
/// collection. Other paths, such as discovery, are read with `get`.
pub fn verb(method: &str, path: &str, query: &str) -> &'static str {
    let of_collection = is_collection(path);
    match method {
        "GET" | "HEAD" if of_collection && is_watch(query) => "watch",
        "GET" | "HEAD" if of_collection => "list",
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" if of_collection => "deletecollection",
        "DELETE" => "delete",
        _ => "other",
    }
}

fn is_watch(query: &str) -> bool {
    query
        .split('&')
        .any(|part| ["watch=true", "watch=1"].contains(&part))
}

/// Whether the path ends with the plural name of a kind.
fn is_collection(path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    // Before the resource stand a group and a version, or the version of the core group.
    let skipped = match parts.next() {
        Some("apis") => parts.nth(1),
        Some("api") => parts.next(),
        _ => None,
    };
    if skipped.is_none() {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    match rest.as_slice() {
        // A namespace is an object, and what follows it is in it.
        ["namespaces", _, inside @ ..] => inside.len() == 1,
        all => all.len() == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_those_of_audit_logs() {
        let hpas = "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers";
        for (method, path, query, expected) in [
            ("GET", "/api/v1/pods", "watch=true&limit=5", "watch"),
            ("GET", "/api/v1/pods", "watch=false", "list"),
            ("GET", "/api/v1/namespaces", "", "list"),
            ("GET", "/api/v1/namespaces/ns", "", "get"),
            ("GET", hpas, "watch=1", "watch"),
            ("GET", hpas, "", "list"),
            ("GET", &format!("{hpas}/web"), "", "get"),
            ("PATCH", &format!("{hpas}/web/status"), "force=true", "patch"),
            ("DELETE", &format!("{hpas}/web"), "", "delete"),
            ("DELETE", hpas, "", "deletecollection"),
            (
                "POST",
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                "",
                "create",
            ),
            ("GET", "/version", "", "get"),
            ("GET", "/apis/custom.metrics.k8s.io/v1beta2", "", "get"),
            (
                "PUT",
                "/apis/coordination.k8s.io/v1/namespaces/ns/leases/vas",
                "",
                "update",
            ),
            ("OPTIONS", hpas, "", "other"),
        ] {
            assert_eq!(verb(method, path, query), expected, "{method} {path}?{query}");
        }
    }
}
