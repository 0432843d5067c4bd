//! The API server no longer has the history of a watch and so forces a list of several pages. No change that
//! happens during the list may be lost.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::Uri,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use kube::runtime::reflector::{self, Store};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use super::*;
use vas_api::v1alpha1::VoiceAssistScalingStatus;

const RESOURCES: u64 = 1200;
const PATIENCE: Duration = Duration::from_secs(60);

/// A fake API server that serves resources only. It answers a list in pages and holds the last page until the
/// gate opens.
struct ApiServer {
    objects: Mutex<Vec<Value>>,
    /// Ends the watch with 410 Gone.
    expired: Notify,
    /// Notified when a client requests the last page of a list.
    last_page: Notify,
    gate: Semaphore,
}

impl ApiServer {
    async fn start() -> (Arc<Self>, Client) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = Arc::new(Self {
            objects: Mutex::new((0..RESOURCES).map(|number| object(number, 1)).collect()),
            expired: Notify::new(),
            last_page: Notify::new(),
            gate: Semaphore::new(1),
        });
        let app = Router::new().fallback(answer).with_state(server.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let config = kube::Config::new(url.parse().unwrap());
        (server, Client::try_from(config).unwrap())
    }
}

fn object(number: u64, generation: u64) -> Value {
    json!({
        "apiVersion": "scaling.voiceassist.io/v1alpha1", "kind": "VoiceAssistScaling",
        "metadata": {"namespace": "ns", "name": format!("v{number:04}"), "uid": number.to_string(),
                     "resourceVersion": generation.to_string(), "generation": generation},
        "spec": {"workloads": []},
    })
}

async fn answer(
    State(server): State<Arc<ApiServer>>,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let ours = uri.path().ends_with("/voiceassistscalings");
    if query.contains_key("watch") {
        let ended = async move {
            if !ours {
                std::future::pending::<()>().await;
            }
            server.expired.notified().await;
            let gone = json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired",
                              "message": "too old resource version"}});
            Ok::<_, std::convert::Infallible>(Bytes::from(format!("{gone}\n")))
        };
        return Body::from_stream(futures::stream::once(ended)).into_response();
    }
    let objects = if ours {
        server.objects.lock().clone()
    } else {
        Vec::new()
    };
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let (begin, limit) = (
        number("continue").unwrap_or(0),
        number("limit").unwrap_or(usize::MAX),
    );
    let page: Vec<Value> = objects.iter().skip(begin).take(limit).cloned().collect();
    let next = begin + page.len();
    if next < objects.len() {
        return Json(json!({"metadata": {"continue": next.to_string()}, "items": page})).into_response();
    }
    if ours {
        server.last_page.notify_one();
        server.gate.acquire().await.unwrap().forget();
    }
    Json(json!({"metadata": {"resourceVersion": "2"}, "items": page})).into_response()
}

fn generation(store: &Store<Stored>, name: &str) -> Option<i64> {
    use kube::Resource;
    let object = store.get(&ObjectRef::new(name).within("ns"))?;
    object.meta().generation
}

#[tokio::test]
async fn what_changed_before_a_list_of_several_pages_is_looked_at_as_it_is_now() {
    let (server, client) = ApiServer::start().await;
    let (store, writer) = reflector::store::<Stored>();
    let (triggers, queue) = Triggers::new();
    let streams = Streams::start(&client, Scope::default(), writer, triggers, Restarts::default());
    let caches = streams.caches();
    let synced = async {
        caches
            .resources
            .synced()
            .wait_for(|synced| *synced)
            .await
            .map(|_| ())
    };
    tokio::time::timeout(PATIENCE, synced)
        .await
        .expect("a first list")
        .unwrap();
    let mut woken = Box::pin(queue.activate(&caches)).skip(usize::try_from(RESOURCES).unwrap());

    // A status was written to a resource that is then edited, and to one that is then deleted.
    let statuses = ["v0003", "v0007"].map(|name| ("ns".to_owned(), name.to_owned()));
    for key in &statuses {
        caches.written.begin(key, "1");
        caches.written.end(key, Some(VoiceAssistScalingStatus::default()));
    }
    // One resource is edited, one is created and one is deleted while no watch runs.
    tokio::time::timeout(PATIENCE, server.last_page.notified())
        .await
        .expect("the first list");
    server.objects.lock()[3] = object(3, 2);
    server.objects.lock().remove(7);
    server.objects.lock().insert(0, object(RESOURCES, 1));
    server.expired.notify_one();
    let last_page = server.last_page.notified();
    tokio::time::timeout(PATIENCE, last_page)
        .await
        .expect("a second list");
    let early = futures::poll!(woken.next());
    assert!(early.is_pending(), "woken in the middle of a list: {early:?}");
    assert_eq!(generation(&store, "v0003"), Some(1), "the list is not complete");
    let is_kept = statuses.each_ref().map(|key| caches.written.last(key).is_some());
    assert_eq!(
        is_kept,
        [true, true],
        "who reads the old copy needs the status that was written over it"
    );

    server.gate.add_permits(1);
    let mut seen = BTreeMap::new();
    while seen.len() < 3 {
        let next = tokio::time::timeout(PATIENCE, woken.next()).await;
        let object = next.expect("all three are looked at").unwrap();
        seen.insert(object.name.clone(), generation(&store, &object.name));
    }
    let expected = [
        ("v0003".to_owned(), Some(2)),
        ("v0007".to_owned(), None),
        (format!("v{RESOURCES}"), Some(1)),
    ];
    assert_eq!(seen, BTreeMap::from(expected));
    let is_kept = statuses.each_ref().map(|key| caches.written.last(key).is_some());
    assert_eq!(is_kept, [false, false], "they would take memory for ever");
}
