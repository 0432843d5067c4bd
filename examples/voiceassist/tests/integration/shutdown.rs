//! The orderly end: nobody who asks is refused before it, what is in flight is finished, jobs are handed back.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::json;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, protocol::frame::coding::CloseCode},
};

use crate::support::{Stack, until};

#[tokio::test]
async fn the_gateway_is_unready_first_then_finishes_what_it_has() {
    let stack = Stack::new().await;
    let (mut gateway, client) = stack.gateway(&["--drain-delay", "1s"]).await;
    let user = client.logged_in("user0").await;
    let (mut socket, _) = connect_async(format!("ws://{}/ws", gateway.address))
        .await
        .unwrap();
    gateway.terminate();
    until("it is not ready", async || {
        gateway
            .operations("/readyz")
            .await
            .filter(|(code, _)| *code == 503)
            .map(drop)
    })
    .await;
    assert_eq!(
        user.get("/api/users/me").await.code,
        200,
        "it serves on while others learn that it goes"
    );
    // Logins are the slowest requests: some are in flight when the listener closes.
    let logins: Vec<_> = (0..6)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.logged_in("user0").await })
        })
        .collect();
    let close = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(frame) => break frame.unwrap(),
            other => assert!(other.is_ping(), "{other:?}"),
        }
    };
    assert_eq!(close.code, CloseCode::Restart, "reconnect");
    for login in logins {
        login.await.expect("no request fails");
    }
    drop(user);
    assert!(gateway.ended().await);
}

#[tokio::test]
async fn a_worker_hands_back_what_it_cannot_finish() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    user.post("/api/documents", &json!({"name": "n", "text": "asthma"}))
        .await;
    let flags = [
        "--embedding-cost",
        "20s",
        "--grace",
        "100ms",
        "--visibility-timeout",
        "600s",
    ];
    let slow = stack.worker(&flags).await;
    until("the job is in work", async || {
        (stack.number("select count(*) from jobs where attempts = 1").await == 1).then_some(())
    })
    .await;
    slow.terminate();
    until("the job is handed back", async || {
        let back = "select count(*) from jobs where attempts = 0 and visible_at <= now()";
        (stack.number(back).await == 1).then_some(())
    })
    .await;
    let _worker = stack.worker(&[]).await;
    let done = async || {
        stack
            .number("select count(*) from jobs where state = 'done'")
            .await
            == 1
    };
    tokio::time::timeout(Duration::from_secs(30), async {
        until("another worker does it", async || done().await.then_some(())).await;
    })
    .await
    .unwrap();
}
