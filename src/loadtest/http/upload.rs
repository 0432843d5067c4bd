//! Keeps the answer of a server that does not read an upload to its end. Such a server answers early, for
//! example with 413, and may end the connection.
//!
//! The answer is what the test is about. So bytes that the server no longer takes are discarded while the
//! connection is still read: a failed write does not end the answer. Such a connection serves no further
//! request.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that is still read when the server takes no more bytes.
#[derive(Debug)]
pub(super) struct Upload<S> {
    stream: S,
    refused: Refused,
}

/// A flag: the server takes no more bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Rc<Cell<bool>>);

impl Refused {
    /// Whether the server takes no more bytes.
    pub(super) fn is(&self) -> bool {
        self.0.get()
    }

    /// The result of a write. If it failed because the server takes no more bytes, the flag is set and the
    /// write counts as done.
    fn unless<T>(&self, sent: io::Result<T>, otherwise: T) -> io::Result<T> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match sent {
            // These three errors say that the server reads no more. The answer may already be in the receive
            // buffer.
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) => {
                self.0.set(true);
                Ok(otherwise)
            }
            sent => sent,
        }
    }
}

impl<S> Upload<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            refused: Refused::default(),
        }
    }

    /// The flag, to read it later.
    pub(super) fn refused(&self) -> Refused {
        self.refused.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Upload<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Upload<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The rest of the upload is discarded as if it was written.
        if self.refused.is() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let sent = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(self.refused.unless(sent, bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = || parts.iter().map(|part| part.len()).sum();
        if self.refused.is() {
            return Poll::Ready(Ok(all()));
        }
        let sent = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, parts));
        Poll::Ready(self.refused.unless(sent, all()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.refused.is() {
            return Poll::Ready(Ok(()));
        }
        let sent = ready!(Pin::new(&mut self.stream).poll_flush(context));
        Poll::Ready(self.refused.unless(sent, ()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
