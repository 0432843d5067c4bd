//! `/ws`.

use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::support::Stack;

#[tokio::test]
async fn a_text_comes_back_and_voice_comes_at_its_pace() {
    let stack = Stack::new().await;
    let (gateway, _) = stack.gateway(&[]).await;
    let (mut socket, _) = connect_async(format!("ws://{}/ws", gateway.address))
        .await
        .unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    socket
        .send(Message::text(r#"{"type":"voice","frames":25}"#))
        .await
        .unwrap();
    let began = Instant::now();
    for _ in 0..25 {
        let frame = socket.next().await.unwrap().unwrap();
        assert!(
            matches!(&frame, Message::Binary(bytes) if bytes.len() == 640),
            "{frame:?}"
        );
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(450), "24 gaps of 20 ms: {took:?}");
}

#[tokio::test]
async fn a_message_beyond_the_limit_ends_its_line_alone() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&["--websockets", "2"]).await;
    let url = format!("ws://{}/ws", gateway.address);
    let (mut large, _) = connect_async(&url).await.unwrap();
    let (mut small, _) = connect_async(&url).await.unwrap();
    assert!(connect_async(&url).await.is_err(), "there are two places");
    let _ = large.send(Message::binary(vec![0; 1 << 20])).await;
    while let Some(Ok(message)) = large.next().await {
        assert!(!matches!(message, Message::Binary(_)), "it does not come back");
    }
    small.send(Message::text("hello")).await.unwrap();
    assert_eq!(small.next().await.unwrap().unwrap(), Message::text("hello"));
    drop(large);
    crate::support::until("its place is free", async || {
        connect_async(&url).await.ok().map(drop)
    })
    .await;
    assert_eq!(client.get("/healthz").await.code, 200);
}
