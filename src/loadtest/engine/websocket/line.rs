//! One connection that sends and receives at the same time. A server that does not read delays only what is
//! sent to it.

use std::{
    collections::VecDeque,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::http::BoxedStream;

/// Longest wait for the server's close frame. The time that the server takes to close is not measured.
const FAREWELL: Duration = Duration::from_millis(500);

/// A connection with the messages that are still to be sent.
pub(super) struct Line {
    stream: WebSocketStream<BoxedStream>,
    queue: VecDeque<Message>,
    /// Data messages that the stream has taken and may not have written yet.
    unwritten: u64,
    written: bool,
}

/// What happened on a connection.
pub(super) enum Heard {
    /// Everything in the queue is written, including this many data messages.
    Sent(u64),
    /// A message came.
    Message(Message),
}

impl Line {
    /// A connection on which nothing was sent yet.
    pub(super) fn new(stream: WebSocketStream<BoxedStream>) -> Self {
        Self {
            stream,
            queue: VecDeque::new(),
            unwritten: 0,
            written: true,
        }
    }

    /// Queues a message. It is sent after those before it, while [`Self::next`] is awaited.
    pub(super) fn queue(&mut self, message: Message) {
        self.queue.push_back(message);
        self.written = false;
    }

    /// Whether everything in the queue is written.
    pub(super) fn is_idle(&self) -> bool {
        self.written
    }

    /// Waits for the next event; `None` when the connection is over. This is cancel-safe: dropping the future
    /// loses nothing.
    pub(super) async fn next(&mut self) -> Option<Result<Heard, Error>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// Sends a close frame, and waits a moment for the server's.
    pub(super) async fn close(&mut self) {
        let bye = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        self.queue(Message::Close(Some(bye)));
        self.drain().await;
    }

    /// Lets the answer to the server's close frame go out.
    pub(super) async fn drain(&mut self) {
        let over = async { while let Some(Ok(_)) = self.next().await {} };
        // A server that takes longer is not waited for.
        let _ = tokio::time::timeout(FAREWELL, over).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Heard, Error>>> {
        if !self.written {
            match self.poll_written(cx) {
                Poll::Ready(Ok(messages)) => return Poll::Ready(Some(Ok(Heard::Sent(messages)))),
                // The close frame of the server, which says why it ended the connection, may still be there
                // to be read.
                Poll::Ready(Err(error)) => {
                    return match self.stream.poll_next_unpin(cx) {
                        Poll::Ready(Some(Ok(message))) => Poll::Ready(Some(Ok(Heard::Message(message)))),
                        _ => Poll::Ready(Some(Err(error))),
                    };
                }
                Poll::Pending => {}
            }
        }
        let received = ready!(self.stream.poll_next_unpin(cx));
        Poll::Ready(received.map(|received| received.map(Heard::Message)))
    }

    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, Error>> {
        while !self.queue.is_empty() {
            ready!(self.stream.poll_ready_unpin(cx))?;
            if let Some(message) = self.queue.pop_front() {
                self.unwritten += u64::from(message.is_text() || message.is_binary());
                self.stream.start_send_unpin(message)?;
            }
        }
        ready!(self.stream.poll_flush_unpin(cx))?;
        self.written = true;
        Poll::Ready(Ok(std::mem::take(&mut self.unwritten)))
    }
}
