//! The DevTools protocol of Chromium over a WebSocket: commands with their answers, and the events that came meanwhile.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

/// Longest wait for the answer of a command.
const DEADLINE: Duration = Duration::from_secs(30);

/// A connection to a browser.
pub(crate) struct DevTools {
    socket: WebSocketStream<TcpStream>,
    sent: u64,
    /// Events that came, in their order.
    pub(crate) events: Vec<Value>,
}

impl DevTools {
    /// Connects to the browser that listens on this port of this machine.
    pub(crate) async fn connect(port: u16, path: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        let url = format!("ws://127.0.0.1:{port}{path}");
        // Pictures are large messages.
        let config = WebSocketConfig::default()
            .max_message_size(Some(64 << 20))
            .max_frame_size(Some(64 << 20));
        let connected = client_async_with_config(url, stream, Some(config)).await;
        Self {
            socket: connected.expect("a WebSocket").0,
            sent: 0,
            events: Vec::new(),
        }
    }

    /// Sends a command, to a page where `session` is one, and returns its result.
    pub(crate) async fn send(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut command = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let sent = self.socket.send(Message::text(command.to_string())).await;
        sent.expect("the browser is there");
        let answered = timeout(DEADLINE, async {
            loop {
                let message = self.socket.next().await.expect("the browser is there");
                let Message::Text(text) = message.expect("a message") else {
                    continue;
                };
                let message: Value = serde_json::from_str(&text).expect("JSON");
                if message["id"] == self.sent {
                    break message;
                }
                self.events.push(message);
            }
        });
        let answer = answered.await.unwrap_or_else(|_| panic!("{method} in time"));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }
}
