//! A connection that counts the bytes which the server has sent on it.

use std::{
    cell::{Cell, RefCell},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::BoxedStream;

/// A connection that counts the bytes which it reads.
pub(super) struct Wire {
    stream: BoxedStream,
    received: Rc<Received>,
}

/// What the server has sent on a connection so far, after TLS.
#[derive(Debug, Default)]
pub(super) struct Received {
    bytes: Cell<u64>,
    waits: RefCell<Option<Waker>>,
}

impl Received {
    /// Number of bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Wakes the task once, when more bytes come.
    pub(super) fn wake_at_more(&self, context: &Context<'_>) {
        self.waits.replace(Some(context.waker().clone()));
    }
}

impl Wire {
    pub(super) fn new(stream: BoxedStream) -> Self {
        Self {
            stream,
            received: Rc::default(),
        }
    }

    /// The counter of received bytes.
    pub(super) fn received(&self) -> Rc<Received> {
        self.received.clone()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let more = buffer.filled().len() - before;
        if more > 0 {
            let received = &self.received;
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            received.bytes.set(received.bytes.get().saturating_add(more));
            if let Some(waker) = received.waits.take() {
                waker.wake();
            }
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
