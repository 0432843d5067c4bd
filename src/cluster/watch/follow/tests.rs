//! The follower against an API server that answers from a script.

use std::{collections::VecDeque, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;

/// Name and resourceVersion of a ConfigMap.
type Object = (&'static str, u32);

/// The answer to one request. A script that is at its end leaves the request unanswered.
#[derive(Clone)]
enum Answer {
    /// A page of a list, and whether another one follows.
    Page(&'static [Object], bool),
    /// A watch that shows these events and then ends.
    Watch(&'static [(&'static str, Object)]),
    /// A watch that ends because its history is gone.
    Gone,
    /// An error with this HTTP status.
    Refused(u16),
    /// None, although the request was taken.
    Silence,
}

/// What the sink was called with.
#[derive(Clone, Debug, PartialEq)]
enum Call {
    Begin,
    Complete(Vec<String>),
    Apply(String),
    Delete(String),
    Failed,
}

struct Recording(Arc<Mutex<Vec<Call>>>);

fn shown(object: &ConfigMap) -> String {
    let metadata = &object.metadata;
    format!(
        "{}@{}",
        metadata.name.as_deref().unwrap(),
        metadata.resource_version.as_deref().unwrap()
    )
}

impl Sink<ConfigMap> for Recording {
    type Listed = String;

    fn begin(&mut self) {
        self.0.lock().push(Call::Begin);
    }

    fn list(&mut self, object: ConfigMap) -> Option<String> {
        Some(shown(&object)).filter(|shown| !shown.starts_with("skipped"))
    }

    fn complete(&mut self, listed: Vec<String>) {
        self.0.lock().push(Call::Complete(listed));
    }

    fn apply(&mut self, object: ConfigMap) {
        self.0.lock().push(Call::Apply(shown(&object)));
    }

    fn delete(&mut self, object: ConfigMap) {
        self.0.lock().push(Call::Delete(shown(&object)));
    }

    fn failed(&mut self, _: &str, error: &watcher::Error) -> Duration {
        self.0.lock().push(Call::Failed);
        Duration::from_secs(if is_forbidden(error) { 300 } else { 0 })
    }
}

fn object((name, version): Object) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
           "metadata": {"namespace": "ns", "name": name, "resourceVersion": version.to_string()}})
}

type Script = Arc<Mutex<VecDeque<Answer>>>;

async fn answer(State(script): State<Script>, uri: Uri) -> Response {
    let next = script.lock().pop_front();
    let is_watch = uri.query().unwrap_or_default().contains("watch=true");
    let lines = |events: Vec<Value>| {
        assert!(
            is_watch,
            "the script has a watch where a list is requested: {uri}"
        );
        let lines: Vec<String> = events.iter().map(Value::to_string).collect();
        Body::from(Bytes::from(lines.join("\n") + "\n")).into_response()
    };
    match next {
        None | Some(Answer::Silence) => std::future::pending().await,
        Some(Answer::Page(objects, another)) => {
            assert!(
                !is_watch,
                "the script has a list where a watch is requested: {uri}"
            );
            let items: Vec<Value> = objects.iter().copied().map(object).collect();
            let metadata = json!({"resourceVersion": "10", "continue": if another { "next" } else { "" }});
            Json(json!({"metadata": metadata, "items": items})).into_response()
        }
        Some(Answer::Watch(events)) => lines(
            events
                .iter()
                .map(|(kind, of)| json!({"type": kind, "object": object(*of)}))
                .collect(),
        ),
        Some(Answer::Gone) => lines(vec![json!({"type": "ERROR", "object": {
            "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}})]),
        Some(Answer::Refused(code)) => {
            let status =
                json!({"kind": "Status", "status": "Failure", "code": code, "message": "", "reason": ""});
            (StatusCode::from_u16(code).unwrap(), Json(status)).into_response()
        }
    }
}

/// Follows a server with this script until every answer was given, and returns the calls and the time it took.
async fn calls(script: &[Answer]) -> (Vec<Call>, Duration) {
    let answers: Script = Arc::new(Mutex::new(script.iter().cloned().collect()));
    let server = Router::new().fallback(answer).with_state(answers.clone());
    let api: Api<ConfigMap> = Api::namespaced(Client::new(server, "ns"), "ns");
    let calls = Arc::new(Mutex::new(Vec::new()));
    let began = tokio::time::Instant::now();
    let restarts = Restarts::default();
    let following = follow(
        "test",
        &restarts,
        events(api, watcher::Config::default()),
        Recording(calls.clone()),
    );
    let mut following = Box::pin(following);
    // Time is paused, so each step takes no time but lets everything run that can.
    while !answers.lock().is_empty() {
        let step = tokio::time::timeout(Duration::from_millis(100), &mut following);
        assert!(step.await.is_err(), "a follower never ends");
        assert!(
            began.elapsed() < Duration::from_secs(3600),
            "stuck: {:?}",
            calls.lock()
        );
    }
    let took = began.elapsed();
    let rest = tokio::time::timeout(Duration::from_millis(100), &mut following);
    assert!(rest.await.is_err(), "a follower never ends");
    let calls = calls.lock().clone();
    let failures = calls.iter().filter(|call| **call == Call::Failed).count();
    assert_eq!(restarts.of("test").get(), failures as u64);
    (calls, took)
}

fn all(names: &[&str]) -> Call {
    Call::Complete(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Name, script of the server, and expected calls.
type Case = (&'static str, Vec<Answer>, Vec<Call>);

async fn check(table: Vec<Case>) {
    for (name, script, expected) in table {
        let (calls, _) = calls(&script).await;
        assert_eq!(calls, expected, "{name}");
    }
}

fn apply(shown: &str) -> Call {
    Call::Apply(shown.to_owned())
}

fn delete(shown: &str) -> Call {
    Call::Delete(shown.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_sink_gets_whole_lists_and_the_changes_between_them() {
    use Answer::{Gone, Page, Watch};
    use Call::{Begin, Failed};
    check(vec![
        (
            "an empty list is complete too",
            vec![Page(&[], false)],
            vec![Begin, all(&[])],
        ),
        (
            "two pages are one list",
            vec![Page(&[("a", 1), ("b", 2)], true), Page(&[("c", 3)], false)],
            vec![Begin, all(&["a@1", "b@2", "c@3"])],
        ),
        (
            "nothing is kept of an object that the sink skips",
            vec![Page(&[("skipped", 1), ("b", 2)], false)],
            vec![Begin, all(&["b@2"])],
        ),
        (
            "a watch that ends goes on where it was, without a list",
            vec![
                Page(&[("a", 1)], false),
                Watch(&[("MODIFIED", ("a", 11)), ("ADDED", ("b", 12))]),
                Watch(&[("DELETED", ("a", 13))]),
            ],
            vec![Begin, all(&["a@1"]), apply("a@11"), apply("b@12"), delete("a@13")],
        ),
        (
            "a relist of two pages is handed over when its last page is read",
            vec![
                Page(&[("a", 1), ("b", 2)], false),
                Gone,
                Page(&[("a", 8)], true),
                Page(&[("b", 2), ("c", 9)], false),
            ],
            vec![
                Begin,
                all(&["a@1", "b@2"]),
                Failed,
                Begin,
                all(&["a@8", "b@2", "c@9"]),
            ],
        ),
        (
            "an edit while a relist is read comes with the watch after it",
            vec![
                Page(&[("a", 1)], false),
                Gone,
                Page(&[("a", 1)], true),
                Page(&[("b", 2)], false),
                Watch(&[("MODIFIED", ("a", 11))]),
            ],
            vec![
                Begin,
                all(&["a@1"]),
                Failed,
                Begin,
                all(&["a@1", "b@2"]),
                apply("a@11"),
            ],
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_when_lists_and_watches_fail() {
    use Answer::{Gone, Page, Refused, Watch};
    use Call::{Begin, Failed};
    check(vec![
        (
            "a list that breaks off after its first page leaves nothing behind",
            vec![
                Page(&[("a", 1), ("gone", 2)], true),
                Refused(500),
                Page(&[("a", 3)], true),
                Page(&[("b", 4)], false),
            ],
            vec![Begin, Failed, Begin, all(&["a@3", "b@4"])],
        ),
        (
            "after errors of list and watch the follower recovers",
            vec![
                Refused(500),
                Refused(503),
                Page(&[("a", 1)], false),
                Refused(500),
                Watch(&[("MODIFIED", ("a", 11))]),
            ],
            vec![
                Begin,
                Failed,
                Begin,
                Failed,
                Begin,
                all(&["a@1"]),
                Failed,
                apply("a@11"),
            ],
        ),
        (
            "an object that was deleted while no watch ran is not in the next list",
            vec![Page(&[("a", 1), ("b", 2)], false), Gone, Page(&[("a", 1)], false)],
            vec![Begin, all(&["a@1", "b@2"]), Failed, Begin, all(&["a@1"])],
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_may_ask_for_a_longer_pause() {
    let (calls, took) = calls(&[Answer::Refused(403), Answer::Page(&[("a", 1)], false)]).await;
    assert_eq!(calls.last(), Some(&all(&["a@1"])));
    assert!(took >= Duration::from_secs(300), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_watches_at_once_is_not_flooded() {
    let mut script = vec![Answer::Page(&[("a", 1)], false)];
    script.extend((0..30).map(|_| Answer::Watch(&[])));
    script.push(Answer::Watch(&[("MODIFIED", ("a", 11))]));
    let (calls, took) = calls(&script).await;
    assert_eq!(calls.last(), Some(&apply("a@11")), "it goes on where it was");
    assert!(took >= Duration::from_secs(300), "30 watches in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_never_answered_is_sent_again() {
    use Answer::{Page, Silence, Watch};
    use Call::{Begin, Failed};
    check(vec![
        (
            "a list that is not answered is requested again",
            vec![
                Silence,
                Page(&[("a", 1)], true),
                Silence,
                Page(&[("a", 2)], false),
            ],
            vec![Begin, Failed, Begin, Failed, Begin, all(&["a@2"])],
        ),
        (
            "a watch that does not begin is requested again",
            vec![
                Page(&[("a", 1)], false),
                Silence,
                Watch(&[("MODIFIED", ("a", 11))]),
            ],
            vec![Begin, all(&["a@1"]), Failed, apply("a@11")],
        ),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_refused_because_its_history_is_gone_is_followed_by_a_list() {
    use Answer::{Page, Refused};
    use Call::{Begin, Failed};
    check(vec![(
        "410 instead of a watch",
        vec![Page(&[("a", 1)], false), Refused(410), Page(&[("a", 2)], false)],
        vec![Begin, all(&["a@1"]), Failed, Begin, all(&["a@2"])],
    )])
    .await;
}
