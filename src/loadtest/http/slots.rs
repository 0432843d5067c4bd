//! The slots of one thread: how many connections it may have at once, whatever hosts they lead to.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Failure, http1, http2};

/// Limits on the connections of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The greatest number of connections at once.
    pub connections: usize,
    /// Longest time to open a connection for which several requests wait.
    pub patience: Duration,
    /// Number of the thread. Threads begin with different addresses of a name.
    pub thread: usize,
}

/// Statistics of the connections of one thread.
#[derive(Debug, Default)]
pub struct Usage {
    opened: Cell<u64>,
    open: Rc<Cell<u64>>,
    peak: Cell<u64>,
    waited: Cell<u64>,
}

/// Counts a connection as open until it is dropped.
#[derive(Debug)]
pub(super) struct Open(Rc<Cell<u64>>);

/// A slot for one connection within the limit. The slot is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    _permit: OwnedSemaphorePermit,
}

/// The slots of one thread, with the connections that may have to be closed for others.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) limits: Limits,
    pub(super) usage: Usage,
    room: Arc<Semaphore>,
    /// Number of tasks that wait for a slot which an idle connection could give up.
    wanted: Cell<usize>,
    /// The shared connections to each host.
    hosts: RefCell<Vec<Host>>,
}

/// The shared connections to one host.
#[derive(Debug)]
struct Host {
    http1: Weak<http1::Connections>,
    http2: Weak<http2::Connections>,
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

    /// The most connections that were open at once.
    pub fn peak(&self) -> u64 {
        self.peak.get()
    }

    /// Number of requests that had to wait because of the limit.
    pub fn waited(&self) -> u64 {
        self.waited.get()
    }

    /// Counts one more connection as open until the returned guard is dropped.
    pub(super) fn opened(&self) -> Open {
        self.opened.set(self.opened.get() + 1);
        self.open.set(self.open.get() + 1);
        self.peak.set(self.peak.get().max(self.open.get()));
        Open(self.open.clone())
    }

    /// Counts a request that has to wait.
    pub(super) fn waits(&self) {
        self.waited.set(self.waited.get() + 1);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Counts a task as one that waits for a slot, until this is dropped.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn new(wanted: &'a Cell<usize>) -> Self {
        wanted.set(wanted.get() + 1);
        Self(wanted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Slots {
    /// Slots that are all free.
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            usage: Usage::default(),
            room: Arc::new(Semaphore::new(
                limits.connections.clamp(1, Semaphore::MAX_PERMITS),
            )),
            wanted: Cell::new(0),
            hosts: RefCell::default(),
        }
    }

    /// Lets idle connections to a host be closed where others need their slots.
    pub(super) fn add(&self, http1: &Rc<http1::Connections>, http2: &Rc<http2::Connections>) {
        self.hosts.borrow_mut().push(Host {
            http1: Rc::downgrade(http1),
            http2: Rc::downgrade(http2),
        });
    }

    /// A slot for a connection, if one is free now.
    pub(super) fn free_room(&self) -> Option<Room> {
        let permit = self.room.clone().try_acquire_owned().ok()?;
        Some(Room { _permit: permit })
    }

    /// A slot for a connection, as soon as one is free.
    pub(super) async fn room(&self) -> Result<Room, Failure> {
        // The semaphore is never closed, so this does not fail.
        let permit = self
            .room
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Failure::Other)?;
        Ok(Room { _permit: permit })
    }

    /// As [`Self::room`]. While it waits, connections that become idle give up their slots.
    pub(super) async fn wanted_room(&self) -> Result<Room, Failure> {
        let _waiting = Waiting::new(&self.wanted);
        self.room().await
    }

    /// As [`Self::room`], for a request over HTTP/2. Connections that other requests to its host share are as
    /// good as a slot, so they stay open. Only those to other hosts are in its way.
    pub(super) async fn room_beside(&self) -> Result<Room, Failure> {
        let several = self.hosts.borrow().len() > 1;
        if !several {
            return self.room().await;
        }
        self.close_idle_http2();
        self.wanted_room().await
    }

    /// Whether a task waits for a slot that an idle connection could give up.
    pub(super) fn is_room_wanted(&self) -> bool {
        self.wanted.get() > 0
    }

    /// Closes a connection over HTTP/2 that has no stream in use, if there is one. Its slot is free soon.
    pub(super) fn close_idle_http2(&self) -> bool {
        let hosts = self.hosts.borrow();
        let mut hosts = hosts.iter().filter_map(|host| host.http2.upgrade());
        hosts.any(|host| host.evict_idle())
    }

    /// Idle HTTP/1.1 connections hold no slot. Closes one if the next connection would exceed the limit.
    pub(super) fn close_idle_http1_at_limit(&self) {
        let open = usize::try_from(self.usage.open()).unwrap_or(usize::MAX);
        if open >= self.limits.connections {
            let hosts = self.hosts.borrow();
            let mut hosts = hosts.iter().filter_map(|host| host.http1.upgrade());
            let _ = hosts.any(|host| host.take().is_some());
        }
    }
}
