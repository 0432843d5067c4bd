//! The connections of one thread: idle ones are used again, others are opened up to a limit, beyond which requests wait
//! their turn, and are counted.

use std::{cell::Cell, rc::Rc};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Failure, Protocol, Target,
    http1::{self, Open},
    http2,
};

/// Bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most requests that may use HTTP/1.1 connections at once; HTTP/2 needs a hundredth of them.
    pub connections: usize,
}

/// What a pool has used.
#[derive(Debug, Default)]
pub struct Usage {
    opened: Cell<u64>,
    open: Rc<Cell<u64>>,
    peak: Cell<u64>,
    waited: Cell<u64>,
}

impl Usage {
    /// Connections opened so far.
    pub fn opened_so_far(&self) -> u64 {
        self.opened.get()
    }

    /// Connections open now.
    pub fn open(&self) -> u64 {
        self.open.get()
    }

    /// Most connections open at once.
    pub fn peak(&self) -> u64 {
        self.peak.get()
    }

    /// Requests that had to wait because of the limit.
    pub fn waited(&self) -> u64 {
        self.waited.get()
    }

    /// Counts one more connection until the answer is dropped.
    pub(super) fn opened(&self) -> Open {
        self.opened.set(self.opened.get() + 1);
        self.open.set(self.open.get() + 1);
        self.peak.set(self.peak.get().max(self.open.get()));
        Open(self.open.clone())
    }
}

/// The connections of one thread.
#[derive(Debug)]
pub struct Pool {
    target: Rc<Target>,
    http1: http1::Connections,
    http2: http2::Connections,
    limit: usize,
    room: Semaphore,
    usage: Rc<Usage>,
}

/// A connection, or a stream on one, with its place within the limit.
#[derive(Debug)]
pub(super) struct Place<'a> {
    busy: Busy,
    fresh: bool,
    _room: SemaphorePermit<'a>,
}

#[derive(Debug)]
enum Busy {
    Http1(http1::Busy),
    Http2(http2::Busy),
}

/// Room for one connection within the limit, such as that of a WebSocket.
#[derive(Debug)]
pub struct Reserved<'a> {
    pool: &'a Pool,
    open: Option<Open>,
    _room: SemaphorePermit<'a>,
}

impl Reserved<'_> {
    /// The connection is made: it counts as open until this is dropped.
    pub fn opened(&mut self) {
        self.open.get_or_insert_with(|| self.pool.usage.opened());
    }
}

impl Pool {
    /// An empty pool.
    pub fn new(target: Rc<Target>, limits: Limits) -> Self {
        Self {
            target,
            http1: http1::Connections::default(),
            http2: http2::Connections::default(),
            limit: limits.connections.max(1),
            room: Semaphore::new(limits.connections.max(1)),
            usage: Rc::default(),
        }
    }

    /// What it has used.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Where its connections lead.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Room within the limit, as soon as there is some.
    pub(super) async fn room(&self) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(room) = self.room.try_acquire() {
            return Ok(room);
        }
        self.usage.waited.set(self.usage.waited.get() + 1);
        // The semaphore is never closed.
        self.room.acquire().await.map_err(|_| Failure::Other)
    }

    /// Room for a connection that the pool does not make itself, as soon as there is some; it takes the place of an idle
    /// one where there are as many as there may be.
    ///
    /// # Errors
    /// When the test is over.
    pub async fn reserve(&self) -> Result<Reserved<'_>, Failure> {
        let room = self.room().await?;
        if usize::try_from(self.usage.open()).unwrap_or(usize::MAX) >= self.limit {
            drop(self.http1.take());
        }
        Ok(Reserved {
            pool: self,
            open: None,
            _room: room,
        })
    }

    /// A place to send one request from: an idle connection, or a new one.
    pub(super) async fn place<'a>(&'a self, room: SemaphorePermit<'a>) -> Result<Place<'a>, Failure> {
        let idle = if self.target.fresh_connections {
            None
        } else {
            match self.target.protocol {
                Protocol::Http1 => self.http1.take().map(Busy::Http1),
                Protocol::Http2 => self.http2.take().map(Busy::Http2),
            }
        };
        let (busy, fresh) = match idle {
            Some(busy) => (busy, false),
            None => (self.open().await?, true),
        };
        Ok(Place {
            busy,
            fresh,
            _room: room,
        })
    }

    async fn open(&self) -> Result<Busy, Failure> {
        match self.target.protocol {
            Protocol::Http1 => http1::Busy::open(&self.target, &self.usage)
                .await
                .map(Busy::Http1),
            Protocol::Http2 => self.http2.open(&self.target, &self.usage).await.map(Busy::Http2),
        }
    }

    /// Sends a request from a place. If the server had closed an idle connection before anything was sent, once more on
    /// a new one: that is how connections end, not a failure of the service.
    pub(super) async fn send(
        &self,
        place: &mut Place<'_>,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Failure> {
        match place.busy.send(request).await {
            Ok(response) => Ok(response),
            Err((_, Some(request))) if !place.fresh => {
                place.busy = self.open().await?;
                place.fresh = true;
                place.busy.send(request).await.map_err(|(failure, _)| failure)
            }
            Err((failure, _)) => Err(failure),
        }
    }

    /// Gives a place back whose answer was read to its end.
    pub(super) async fn give_back(&self, place: Place<'_>) {
        if let (Busy::Http1(busy), false) = (place.busy, self.target.fresh_connections) {
            self.http1.give_back(busy).await;
        }
    }
}

impl Busy {
    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, (Failure, Option<Request<Full<Bytes>>>)> {
        match self {
            Self::Http1(busy) => busy.send(request).await,
            Self::Http2(busy) => busy.send(request).await,
        }
    }
}
