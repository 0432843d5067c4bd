//! Opens the connections of one thread, within a limit.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BoxedStream, Failure, Target, address::Addresses, connect::connect, wire::Wire};

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

/// Opens connections to one target, as many at once as the limits allow.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) target: Rc<Target>,
    pub(super) limits: Limits,
    pub(super) usage: Usage,
    addresses: Addresses,
    /// Addresses of the few other hosts to which redirects lead.
    others: RefCell<BTreeMap<(String, u16), Addresses>>,
    room: Arc<Semaphore>,
    /// Number of tasks that wait for a slot which an idle connection could give up.
    wanted: Cell<usize>,
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

impl Dialer {
    pub(super) fn new(target: Rc<Target>, limits: Limits) -> Self {
        Self {
            target,
            limits,
            usage: Usage::default(),
            addresses: Addresses::new(limits.thread),
            others: RefCell::default(),
            room: Arc::new(Semaphore::new(
                limits.connections.clamp(1, Semaphore::MAX_PERMITS),
            )),
            wanted: Cell::new(0),
        }
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

    /// Whether a task waits for a slot that an idle connection could give up.
    pub(super) fn is_room_wanted(&self) -> bool {
        self.wanted.get() > 0
    }

    /// Opens a connection to the dialer's target, to the same host over another protocol, or to where a
    /// redirect leads.
    pub(super) async fn connect(&self, target: &Target) -> Result<BoxedStream, Failure> {
        let first = target.proxy.as_deref().unwrap_or(target);
        connect(target, &self.addresses_of(first)).await
    }

    fn addresses_of(&self, target: &Target) -> Addresses {
        if (&target.host, target.port) == (&self.target.host, self.target.port) {
            return self.addresses.clone();
        }
        let mut others = self.others.borrow_mut();
        let other = others.entry((target.host.clone(), target.port));
        other
            .or_insert_with(|| Addresses::new(self.limits.thread))
            .clone()
    }

    /// Opens a connection for requests. It counts as open until the guard is dropped.
    pub(super) async fn dial(&self) -> Result<(Wire, Open), Failure> {
        let stream = self.connect(&self.target).await?;
        Ok((Wire::new(stream), self.usage.opened()))
    }

    /// The shortest time that a connect to the target has taken, see [`Addresses::round_trip`].
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.addresses.round_trip()
    }
}
