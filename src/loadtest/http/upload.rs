//! An upload that the server does not read to its end: it may answer before, and end the connection.
//!
//! The answer is what was asked for. So what the server does not take any more is thrown away, and the connection is read
//! on: the end of sending is no end of the answer. Such a connection serves no other request.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that is read on when the server takes nothing any more.
#[derive(Debug)]
pub(super) struct Upload<S> {
    stream: S,
    refused: Refused,
}

/// Whether the server takes nothing any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Rc<Cell<bool>>);

impl Refused {
    /// Whether it does not.
    pub(super) fn is(&self) -> bool {
        self.0.get()
    }

    /// What became of sending, unless it is that the server does not take it.
    fn unless<T>(&self, sent: io::Result<T>, otherwise: T) -> io::Result<T> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        match sent {
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

    /// To be asked later.
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
