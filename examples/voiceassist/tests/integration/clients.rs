//! Clients that are slow, or say nothing: each costs little, has an end, and stops nobody else.

use futures::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::connect_async;

use crate::support::{Stack, until};

/// Sockets of each kind that say nothing.
const IDLE: usize = 1000;

/// Memory that they may take, for each: measured are 10 kB in a debug build.
const BYTES: u64 = 32 * 1024;

#[tokio::test]
async fn a_thousand_idle_connections_and_websockets_take_little_memory_and_stop_nobody() {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: most,
            maximum: most,
        },
    )
    .unwrap();
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    let before = gateway.memory();
    let address = &gateway.address;
    let url = format!("ws://{address}/ws");
    let (mut idle, mut open) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let connections = join_all((0..IDLE / 10).map(|_| TcpStream::connect(address))).await;
        idle.extend(connections.into_iter().map(Result::unwrap));
        let sockets = join_all((0..IDLE / 10).map(|_| connect_async(&url))).await;
        open.extend(sockets.into_iter().map(Result::unwrap));
    }
    until("all are open", async || {
        let all = gateway.metric("voiceassist_websocket_connections").await;
        (all == Some(1000.0)).then_some(())
    })
    .await;
    assert_eq!(user.get("/api/users/me").await.code, 200);
    let each = gateway.memory().saturating_sub(before) / (2 * IDLE as u64);
    assert!(each < BYTES, "{each} bytes for each");
    drop((idle, open));
    until("their places are free", async || {
        let all = gateway.metric("voiceassist_websocket_connections").await;
        (all == Some(0.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_head_that_does_not_come_and_a_connection_without_requests_have_an_end() {
    let stack = Stack::new().await;
    let (gateway, _client) = stack.gateway(&["--client-timeout", "300ms"]).await;
    for head in ["", "GET /api/users/me HTTP/1.1\r\nHost: a\r\nX-Slow: "] {
        let mut slow = TcpStream::connect(&gateway.address).await.unwrap();
        slow.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(std::time::Duration::from_secs(30), slow.read_to_end(&mut answer));
        let ended = read.await.expect("the gateway ends it");
        assert!(ended.is_err() || !answer.starts_with(b"HTTP/1.1 2"), "{head:?}");
    }
}

#[tokio::test]
async fn who_takes_no_answers_is_given_up_and_holds_few_of_them() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&["--client-timeout", "1s"]).await;
    let user = client.logged_in("user0").await;
    let text = "asthma ".repeat(28_000);
    let large = user
        .post("/api/documents", &json!({"name": "n", "text": text}))
        .await;
    let (path, token) = (
        format!("/api/documents/{}", large.text("/id")),
        user.token().unwrap(),
    );
    assert_eq!(user.get(&path).await.code, 200);
    let before = gateway.memory();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    // Fifty times 196 kB are more than the kernel keeps for either side.
    let requests = request.repeat(50);
    let slow = join_all((0..20).map(|_| async {
        let mut slow = TcpStream::connect(&gateway.address).await.unwrap();
        slow.write_all(requests.as_bytes()).await.unwrap();
        slow
    }));
    let slow = slow.await;
    assert_eq!(user.get("/api/users/me").await.code, 200);
    let grown = gateway.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for answers that nobody takes");
    for slow in slow {
        until("the gateway gives it up", async || {
            let wrote = slow.try_write(b"G");
            wrote
                .is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
                .then_some(())
        })
        .await;
    }
}
