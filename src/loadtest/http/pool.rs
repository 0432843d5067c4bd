//! The connections of one thread, up to a limit. Beyond the limit requests wait their turn, and are counted.
//!
//! Requests share connections, or each user has its own: see [`Own`].

use std::rc::{Rc, Weak};

use hyper::{Response, body::Incoming};

use super::{
    BoxedStream, Failure, Outgoing, Protocol, Target,
    dialer::Dialer,
    http1, http2,
    outgoing::Flight,
    slots::{Limits, Open, Room, Slots, Usage},
    unanswered::{Circumstances, Unanswered},
};

/// The connections of one thread.
#[derive(Debug)]
pub struct Pool {
    dialer: Rc<Dialer>,
    http1: Rc<http1::Connections>,
    http2: Rc<http2::Connections>,
}

/// The own connection of one user: nobody else sends on it. It is opened by the user's first request and
/// stays open during the user's pauses.
#[derive(Debug, Default)]
pub struct Own(Option<Kept>);

#[derive(Debug)]
enum Kept {
    Http1(http1::Connection, Room),
    /// The connection holds its slot itself.
    Http2(Rc<http2::Connection>),
}

/// A connection, or a stream on one, on which a request can be sent.
#[derive(Debug)]
pub(super) struct Place {
    busy: Busy,
    /// Whether the connection had answered a request before.
    used: bool,
    /// Whether it also had no other request in flight.
    idle: bool,
    /// Whether the connection belongs to one user.
    own: bool,
}

#[derive(Debug)]
enum Busy {
    Http1(http1::Connection, Room),
    Http2(http2::Stream),
}

/// A slot for one connection within the limit, such as the connection of a WebSocket.
#[derive(Debug)]
pub struct Reserved<'a> {
    dialer: &'a Dialer,
    open: Option<Open>,
    _room: Room,
}

impl Reserved<'_> {
    /// Connects to a target, which may be another than the pool's. The connection counts as open until `self`
    /// is dropped.
    ///
    /// # Errors
    /// When there is no connection, or no TLS on it.
    pub async fn connect(&mut self, target: &Target) -> Result<BoxedStream, Failure> {
        let stream = self.dialer.connect(target).await?;
        self.open = Some(self.dialer.slots.usage.opened());
        Ok(stream)
    }
}

impl Pool {
    /// An empty pool.
    pub fn new(target: Rc<Target>, limits: Limits) -> Self {
        Self::within(target, &Rc::new(Slots::new(limits)))
    }

    /// An empty pool of connections to another target. The limits are those of both together.
    #[must_use]
    pub fn beside(&self, target: Rc<Target>) -> Self {
        Self::within(target, &self.dialer.slots)
    }

    fn within(target: Rc<Target>, slots: &Rc<Slots>) -> Self {
        let dialer = Rc::new(Dialer::new(target, slots.clone()));
        let http1 = Rc::new(http1::Connections::default());
        let http2 = Rc::new(http2::Connections::new(dialer.clone()));
        slots.add(&http1, &http2);
        Self { dialer, http1, http2 }
    }

    /// Statistics of the connections, also of those to the targets beside this one.
    pub fn usage(&self) -> &Usage {
        &self.dialer.slots.usage
    }

    /// The target of the connections.
    pub fn target(&self) -> &Target {
        &self.dialer.target
    }

    /// A slot within the limit, as soon as one is free. A wait is counted.
    async fn room(&self) -> Result<Room, Failure> {
        if let Some(room) = self.dialer.slots.free_room() {
            return Ok(room);
        }
        self.dialer.slots.usage.waits();
        self.dialer.slots.room().await
    }

    /// A slot for a connection that the pool does not keep, as soon as one is free. At the limit an idle
    /// connection is closed for it. If nothing else is free, the user gives up its own connection; otherwise
    /// all users could wait for each other.
    ///
    /// # Errors
    /// When the run is over.
    pub async fn reserve(&self, own: Option<&mut Own>) -> Result<Reserved<'_>, Failure> {
        let room = match self.dialer.slots.free_room() {
            Some(room) => room,
            None => self.room_of_another(own).await?,
        };
        self.dialer.slots.close_idle_http1_at_limit();
        Ok(Reserved {
            dialer: &self.dialer,
            open: None,
            _room: room,
        })
    }

    /// The slot of a connection that is idle, now or later.
    async fn room_of_another(&self, own: Option<&mut Own>) -> Result<Room, Failure> {
        let given_up = own.is_some_and(Own::give_up) || self.dialer.slots.close_idle_http2();
        // To wait until the given-up connection is closed is not a wait because of the limit.
        if !given_up {
            self.dialer.slots.usage.waits();
        }
        self.dialer.slots.wanted_room().await
    }

    /// A place to send one request: the user's own connection, an idle one, or a new one.
    pub(super) async fn place(&self, own: Option<&mut Own>, flight: &Flight) -> Result<Place, Failure> {
        let fresh = self.target().fresh_connections;
        let shared = own.is_none() && !fresh;
        if let Some(place) = own.filter(|_| !fresh).and_then(Own::take) {
            flight.begin();
            return Ok(place);
        }
        if shared && self.target().protocol == Protocol::Http2 {
            // A request that gets no stream counts as not sent.
            let stream = self.http2.stream(flight).await.inspect_err(|_| flight.wait())?;
            return Ok(Place::of(stream, false));
        }
        let room = self.room().await?;
        flight.begin();
        if shared && let Some(connection) = self.http1.take() {
            return Ok(Place::on(connection, room, true, false));
        }
        let opened = match self.target().protocol {
            Protocol::Http1 => self.open_http1(room, !shared).await,
            Protocol::Http2 => self.open_http2(room).await,
        };
        opened.inspect_err(|_| flight.wait())
    }

    async fn open_http1(&self, room: Room, own: bool) -> Result<Place, Failure> {
        self.dialer.slots.close_idle_http1_at_limit();
        let connection = http1::Connection::open(&self.dialer).await?;
        Ok(Place::on(connection, room, false, own))
    }

    /// A new connection that is not shared.
    async fn open_http2(&self, room: Room) -> Result<Place, Failure> {
        let connection = http2::Connection::open(&self.dialer, room, Weak::new()).await?;
        Ok(Place::of(connection.stream(), true))
    }

    /// Sends a request. If the server ended the connection without an answer, the request may be sent once
    /// more; see [`Unanswered`].
    pub(super) async fn send(
        &self,
        mut place: Place,
        outgoing: &Outgoing,
        flight: &Flight,
    ) -> Result<(Place, Response<Incoming>), Failure> {
        loop {
            let unanswered = match place.busy.send(outgoing).await {
                Ok(response) => return Ok((place, response)),
                Err(unanswered) => unanswered,
            };
            let circumstances = Circumstances {
                method: &outgoing.method,
                used: place.used,
                idle: place.idle,
                elapsed: flight.elapsed(),
                round_trip: self.dialer.round_trip(),
            };
            // What may have reached the server is repeated once only. What was never sent may be tried on any
            // number of connections.
            let twice = unanswered.was_sent() && flight.was_sent_again();
            if twice || !unanswered.once_more(circumstances) {
                return Err(unanswered.failure);
            }
            if unanswered.was_sent() {
                flight.send_again();
            }
            place = self.renewed(place, flight).await?;
        }
    }

    /// Another place for a request whose connection has ended, or that the server refused.
    async fn renewed(&self, place: Place, flight: &Flight) -> Result<Place, Failure> {
        match place.busy {
            Busy::Http1(_, room) => self.open_http1(room, place.own).await,
            Busy::Http2(stream) if place.own => {
                let connection = stream.connection().clone();
                drop(stream);
                if connection.is_closed() {
                    drop(connection);
                    self.open_http2(self.room().await?).await
                } else {
                    Ok(Place::of(connection.stream(), true))
                }
            }
            Busy::Http2(stream) => {
                drop(stream);
                Ok(Place::of(self.http2.stream(flight).await?, false))
            }
        }
    }

    /// Gives a place back after its answer was read to the end.
    pub(super) async fn give_back(&self, place: Place, own: Option<&mut Own>) {
        if self.target().fresh_connections {
            return;
        }
        match (place.busy, own) {
            (Busy::Http1(connection, room), own) => {
                let Some(connection) = connection.again().await else {
                    return;
                };
                match own {
                    Some(Own(kept)) => *kept = Some(Kept::Http1(connection, room)),
                    None => self.http1.give_back(connection),
                }
            }
            (Busy::Http2(stream), Some(Own(kept))) => {
                *kept = Some(Kept::Http2(stream.connection().clone()));
            }
            (Busy::Http2(_), None) => {}
        }
    }
}

impl Own {
    /// Whether there is a connection.
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Closes the connection, if there is one. The result says whether there was one.
    fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// The connection, if it still works. An HTTP/2 connection stays with the user, even when the request is
    /// given up.
    fn take(&mut self) -> Option<Place> {
        match self.0.take()? {
            Kept::Http1(connection, room) if connection.is_ready() => {
                Some(Place::on(connection, room, true, true))
            }
            Kept::Http2(connection) if !connection.is_closed() => {
                let stream = connection.stream();
                self.0 = Some(Kept::Http2(connection));
                Some(Place::of(stream, true))
            }
            Kept::Http1(..) | Kept::Http2(_) => None,
        }
    }
}

impl Place {
    /// A place on an HTTP/1.1 connection.
    fn on(connection: http1::Connection, room: Room, used: bool, own: bool) -> Self {
        Self {
            busy: Busy::Http1(connection, room),
            used,
            idle: used,
            own,
        }
    }

    /// A place on an HTTP/2 stream.
    fn of(stream: http2::Stream, own: bool) -> Self {
        Self {
            used: stream.used,
            idle: stream.idle,
            busy: Busy::Http2(stream),
            own,
        }
    }
}

impl Busy {
    async fn send(&mut self, outgoing: &Outgoing) -> Result<Response<Incoming>, Unanswered> {
        match self {
            Self::Http1(connection, _) => connection.send(outgoing.request()).await,
            Self::Http2(stream) => stream.send(outgoing.request()).await,
        }
    }
}
