//! Writes to the API server by this process, as kubectl sends them.
//!
//! Each panics with the API server's words where it is refused. Objects are applied on the server's side, which decides
//! as `kubectl apply --server-side --force-conflicts` has it decide: fields that are no longer applied go, those of
//! others stay, and an unknown field is an error.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Cluster, api::condition, kinds};

/// Longest wait for what the API server does soon: the end of an object, a CRD that is served.
const LONGEST: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// The objects of a text in YAML or JSON, of which one may be a list.
pub(super) fn objects(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = match serde_json::from_str(text) {
        Ok(object) => vec![object],
        Err(_) => serde_saphyr::from_multiple(text).expect("the objects are YAML"),
    };
    let lists = documents.into_iter().map(|mut object| {
        let items = object.get_mut("items").map(Value::take);
        match items {
            Some(Value::Array(items)) => items,
            _ => vec![object],
        }
    });
    lists.flatten().filter(|object| !object.is_null()).collect()
}

impl Cluster {
    /// Applies an object. An object without a namespace comes into this one. Returns what is stored.
    pub fn try_apply(&self, namespace: &str, object: &Value, manager: &str) -> Result<Value, String> {
        let connection = self.connection();
        let place = connection.place(namespace, object)?;
        let path = format!("{place}?fieldManager={manager}&force=true&fieldValidation=Strict");
        let body = object.to_string().into_bytes();
        let stored = connection.send_body("PATCH", &path, "application/apply-patch+yaml", body)?;
        serde_json::from_str(&stored).map_err(|error| format!("{path}: {error}"))
    }

    /// Applies all objects of a text in YAML or JSON.
    #[track_caller]
    pub fn apply(&self, namespace: &str, text: &str) {
        self.apply_all(namespace, &objects(text));
    }

    /// Applies objects in their order.
    #[track_caller]
    pub fn apply_all(&self, namespace: &str, objects: &[Value]) {
        for object in objects {
            if let Err(words) = self.try_apply(namespace, object, "kubectl") {
                panic!("cannot apply {}: {words}", object["metadata"]["name"]);
            }
        }
    }

    /// Replaces the object of a text in YAML or JSON, whatever it has become since.
    #[track_caller]
    pub fn replace(&self, namespace: &str, text: &str) {
        for mut object in objects(text) {
            let place = self.connection().place(namespace, &object);
            let place = place.unwrap_or_else(|words| panic!("{words}"));
            let end = Instant::now() + LONGEST;
            // Controllers write between the read and the write.
            while let Err(words) = self.try_replace(&place, &mut object) {
                let again = words.contains("(Conflict)") && Instant::now() < end;
                assert!(again, "cannot replace {place}: {words}");
            }
        }
    }

    fn try_replace(&self, place: &str, object: &mut Value) -> Result<(), String> {
        object["metadata"]["resourceVersion"] = self.raw(place)?["metadata"]["resourceVersion"].take();
        let path = format!("{place}?fieldManager=kubectl-replace&fieldValidation=Strict");
        let body = object.to_string().into_bytes();
        self.connection()
            .send_body("PUT", &path, "application/json", body)
            .map(drop)
    }

    /// Changes an object, or a subresource of one (kind `hpa`, name `web/status`): by a JSON patch where the patch is a list, else
    /// by a merge patch. `namespace` is empty for objects of the cluster.
    #[track_caller]
    pub fn patch(&self, namespace: &str, kind: &str, name: &str, patch: &Value) {
        self.patch_as("kubectl-patch", namespace, kind, name, patch);
    }

    /// The same under the name of another field manager.
    #[track_caller]
    pub fn patch_as(&self, manager: &str, namespace: &str, kind: &str, name: &str, patch: &Value) {
        let object = kinds::object(namespace, kind, name);
        let content_type = if patch.is_array() {
            "application/json-patch+json"
        } else {
            "application/merge-patch+json"
        };
        let body = patch.to_string().into_bytes();
        let request = format!("{object}?fieldManager={manager}");
        let answer = self.connection().send_body("PATCH", &request, content_type, body);
        if let Err(words) = answer {
            panic!("cannot patch {kind} {name}: {words}");
        }
    }

    /// Sets the replicas of a Deployment.
    #[track_caller]
    pub fn scale(&self, namespace: &str, deployment: &str, replicas: u32) {
        let scale = json!({"spec": {"replicas": replicas}});
        self.patch(namespace, "deployment", &format!("{deployment}/scale"), &scale);
    }

    /// Deletes an object, and waits until it is gone. An object of the same name may have come meanwhile.
    #[track_caller]
    pub fn delete(&self, namespace: &str, kind: &str, name: &str) {
        let before = self.begin_delete(namespace, kind, name);
        let end = Instant::now() + LONGEST;
        loop {
            match self.read(namespace, kind, name) {
                Ok(object) if object["metadata"]["uid"] == before => {}
                Err(words) if !words.contains("(NotFound)") => panic!("{kind} {name}: {words}"),
                _ => return,
            }
            assert!(
                Instant::now() < end,
                "{kind} {name} is not gone after {LONGEST:?}"
            );
            std::thread::sleep(POLL);
        }
    }

    /// Has an object deleted. Returns its UID.
    #[track_caller]
    pub fn begin_delete(&self, namespace: &str, kind: &str, name: &str) -> Value {
        let object = self.read(namespace, kind, name);
        let object = object.unwrap_or_else(|words| panic!("cannot delete {kind} {name}: {words}"));
        let path = format!(
            "{}?propagationPolicy=Background",
            kinds::object(namespace, kind, name)
        );
        if let Err(words) = self.connection().send("DELETE", &path) {
            panic!("cannot delete {kind} {name}: {words}");
        }
        object["metadata"]["uid"].clone()
    }

    /// Creates a namespace.
    #[track_caller]
    pub fn create_namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let body = namespace.to_string().into_bytes();
        let created = self
            .connection()
            .send_body("POST", "/api/v1/namespaces", "application/json", body);
        assert!(created.is_ok(), "namespace {name}: {created:?}");
    }

    /// Has a namespace deleted, and does not wait for its end.
    pub fn delete_namespace(&self, name: &str) {
        let _ = self
            .connection()
            .send("DELETE", &kinds::object("", "namespace", name));
    }

    /// Waits until a CRD is served.
    #[track_caller]
    pub fn established(&self, crd: &str) {
        let end = Instant::now() + LONGEST;
        loop {
            let said = condition(&self.object("", "crd", crd).unwrap_or_default(), "Established");
            if said.starts_with("True") {
                return;
            }
            assert!(Instant::now() < end, "the CRD {crd} is not served: {said:?}");
            std::thread::sleep(POLL);
        }
    }

    /// Creates a service account, and binds a ClusterRole to it: in its namespace, or in the whole cluster.
    #[track_caller]
    pub fn create_account(&self, namespace: &str, name: &str, bound: Option<Bound<'_>>) {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        let mut objects = vec![account];
        if let Some(bound) = bound {
            let (kind, binding, role) = match bound {
                Bound::InNamespace(role) => ("RoleBinding", name.to_owned(), role),
                Bound::Everywhere(role) => ("ClusterRoleBinding", format!("{name}-{namespace}"), role),
            };
            objects.push(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": binding},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
            }));
        }
        self.apply_all(namespace, &objects);
    }

    /// A token of a service account that is good for six hours.
    #[track_caller]
    pub fn token(&self, namespace: &str, account: &str) -> String {
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"expirationSeconds": 6 * 60 * 60}});
        let path = format!("{}/token", kinds::object(namespace, "serviceaccount", account));
        let body = request.to_string().into_bytes();
        let answer = self
            .connection()
            .send_body("POST", &path, "application/json", body);
        let answer = answer.unwrap_or_else(|words| panic!("no token of {namespace}/{account}: {words}"));
        let answer: Value = serde_json::from_str(&answer).expect("a TokenRequest is JSON");
        answer["status"]["token"].as_str().expect("a token").to_owned()
    }

    /// Whether a user may do something, in the words of `kubectl auth can-i`:
    /// `VERB RESOURCE[.GROUP][/NAME] [--subresource=NAME] [-n NAMESPACE | -A]`.
    #[track_caller]
    pub fn can(&self, user: &str, what: &str) -> bool {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": groups(user), "resourceAttributes": attributes(what)}});
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let body = review.to_string().into_bytes();
        let answer = self
            .connection()
            .send_body("POST", path, "application/json", body);
        let answer = answer.unwrap_or_else(|words| panic!("may {user} {what}? {words}"));
        let answer: Value = serde_json::from_str(&answer).expect("a review is JSON");
        answer["status"]["allowed"].as_bool().expect("a verdict")
    }
}

/// The ClusterRole of an account, and where it counts.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    InNamespace(&'a str),
    Everywhere(&'a str),
}

/// The groups that the API server gives to a user who shows a token or is impersonated.
fn groups(user: &str) -> Vec<String> {
    let mut groups = vec!["system:authenticated".to_owned()];
    if let Some((namespace, _)) = user
        .strip_prefix("system:serviceaccount:")
        .and_then(|account| account.split_once(':'))
    {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    groups
}

fn attributes(what: &str) -> Value {
    let mut words = what.split(' ');
    let verb = words.next().expect("a verb");
    let resource = words.next().expect("a resource");
    let (resource, name) = resource.split_once('/').unwrap_or((resource, ""));
    let (group, plural, namespaced) = match resource.split_once('.') {
        Some((plural, group)) => (group, plural.to_owned(), true),
        None => kinds::resource(resource),
    };
    let mut attributes = json!({"verb": verb, "group": group, "version": "*", "resource": plural, "name": name,
        "namespace": if namespaced { "default" } else { "" }});
    while let Some(word) = words.next() {
        match word {
            "-n" => attributes["namespace"] = words.next().expect("a namespace").into(),
            "-A" => attributes["namespace"] = "".into(),
            _ => {
                let subresource = word.strip_prefix("--subresource=");
                attributes["subresource"] = subresource.unwrap_or_else(|| panic!("{word} in {what}")).into();
            }
        }
    }
    attributes
}
