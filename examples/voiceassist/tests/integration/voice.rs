//! `/ws/voice`: speech goes up, words come down, and the transcript is a message of the session.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, protocol::frame::coding::CloseCode},
};

use crate::support::{Client, Process, Stack, until};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(gateway: &Process, user: &Client, session: &str) -> Result<Socket, Error> {
    let mut request = format!("ws://{}/ws/voice?session={session}", gateway.address).into_client_request()?;
    if let Some(token) = user.token() {
        request
            .headers_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

async fn opened(user: &Client) -> String {
    user.post("/api/sessions", &json!({"title": "voice"}))
        .await
        .text("/id")
        .to_owned()
}

async fn next(socket: &mut Socket) -> Value {
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str(text.as_str()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn words_come_down_while_frames_go_up_and_the_last_are_kept() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    let session = opened(&user).await;
    let mut socket = connect(&gateway, &user, &session).await.unwrap();
    for frame in 0..60_u8 {
        socket.send(Message::binary(vec![frame; 640])).await.unwrap();
    }
    socket.send(Message::text(r#"{"type":"end"}"#)).await.unwrap();
    let (first, second, last) = (
        next(&mut socket).await,
        next(&mut socket).await,
        next(&mut socket).await,
    );
    assert_eq!(
        (&first["type"], &first["milliseconds"]),
        (&json!("partial"), &json!(500))
    );
    assert_eq!(
        (&second["type"], &second["milliseconds"]),
        (&json!("partial"), &json!(1000))
    );
    assert_eq!(
        (&last["type"], &last["milliseconds"]),
        (&json!("final"), &json!(1200))
    );
    assert!(
        second["text"]
            .as_str()
            .unwrap()
            .starts_with(first["text"].as_str().unwrap())
    );
    assert_eq!(last["text"], second["text"]);

    let _worker = stack.worker(&[]).await;
    let message = until("the transcript is a message", async || {
        let history = user.get(&format!("/api/sessions/{session}/messages")).await;
        (history.items() == 1).then_some(history)
    })
    .await;
    assert_eq!(message.text("/items/0/id"), last["job"], "its key is the job");
}

#[tokio::test]
async fn a_line_needs_a_token_a_session_of_the_callers_own_and_frames_of_the_right_size() {
    let stack = Stack::new().await;
    let (gateway, client) = stack.gateway(&[]).await;
    let (user, other) = tokio::join!(client.logged_in("user0"), client.logged_in("user1"));
    let session = opened(&user).await;
    for (client, code) in [(&client, 401), (&other, 404)] {
        match connect(&gateway, client, &session).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), code),
            other => panic!("{other:?}"),
        }
    }
    for wrong in [Message::binary(vec![0; 641]), Message::text("hello")] {
        let mut socket = connect(&gateway, &user, &session).await.unwrap();
        socket.send(wrong).await.unwrap();
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.code, CloseCode::Policy),
            other => panic!("{other:?}"),
        }
    }
}
