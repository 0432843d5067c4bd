//! One WebSocket connection: it is made, used, held as long as the scenario wants, and closed.
//!
//! ```text
//! line      the connection, which sends and receives at once     talk     what is sent, and what is awaited
//! round     the messages that a sequence sends and awaits        voice    frames at a fixed interval
//! failures  how a connection fails, in words                     pings    one in flight at a time
//! session   counts the connection exactly once
//! ```
//!
//! Invariant: whatever the server does, a connection ends at most one timeout of the scenario after its hold
//! is over, and at most two timeouts after its user stops. What was not answered by then counts with the time
//! for which it was awaited.

mod failures;
mod line;
mod pings;
mod round;
mod session;
mod talk;
mod voice;

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{client::IntoClientRequest as _, handshake::client::Request, protocol::WebSocketConfig},
};
use tokio_util::sync::CancellationToken;

use self::{
    line::Line,
    session::Session,
    talk::{Ended, Talk},
};
use super::{
    due::Due,
    next::Next,
    plan::Socket,
    worker::{Reached, Worker},
};
use crate::http::{Detail, Failure, Jar, Own, Place, Reserved, Target};

/// Bytes that one read takes. Each held connection has such a buffer, and there may be tens of thousands.
const READ_BUFFER: usize = 8 * 1024;

/// What a connection has of its user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    /// Values of the variables in templates.
    pub(super) values: &'a BTreeMap<String, String>,
    /// The user's cookies; `None` where it keeps none.
    pub(super) cookies: Option<&'a RefCell<Jar>>,
}

/// Connects, holds the connection as long as the scenario wants, and closes it. To connect is the step's
/// request. That request counts as failed afterwards if the connection is lost while it is held, or if the
/// server does not answer as the scenario wants.
pub(super) async fn hold(
    worker: &Worker,
    due: Due<'_>,
    (host, socket): (&Reached, &Socket),
    user: Owner<'_>,
    own: Option<&mut Own>,
    stop: &CancellationToken,
) -> Next {
    let mut sent = None;
    let mut session = Session::new(worker, due);
    let opened = open(worker, host, socket, user, own, &mut sent);
    let opened = tokio::time::timeout(worker.timeout, opened).await;
    match opened.unwrap_or(Err(Failure::Timeout(worker.timeout))) {
        // `_reserved` keeps the slot until the connection is closed.
        Ok((mut line, _reserved)) => {
            session.connected(sent);
            let talk = Talk::new(worker, &socket.websocket, user.values);
            let ended = talk.hold(&mut line, stop).await;
            session.over(ended.as_ref().err());
            match ended {
                Ok(Ended::ByServer) => line.drain().await,
                Ok(Ended::ByUs) | Err(_) => line.close().await,
            }
            if ended.is_ok() { Next::Step } else { Next::Turn }
        }
        Err(failure) => {
            session.refused(sent, failure);
            Next::Turn
        }
    }
}

/// Waits for a free connection slot, connects and upgrades. `sent` is the moment at which connecting began,
/// and `None` where there was no slot or no connection.
async fn open<'a>(
    worker: &Worker,
    host: &'a Reached,
    socket: &Socket,
    user: Owner<'_>,
    own: Option<&mut Own>,
    sent: &mut Option<Duration>,
) -> Result<(Line, Reserved<'a>), Failure> {
    let target = &host.upgrades;
    let request = request(worker, target, socket, user)?;
    let place = user
        .cookies
        .map(|_| (request.headers().clone(), request.uri().clone()));
    let mut reserved = host.pool.reserve(own).await?;
    *sent = Some(worker.share.clock.elapsed());
    // Without a TCP connection nothing was sent to the service.
    let stream = reserved.connect(target).await.inspect_err(|_| *sent = None)?;
    // These limits bound the memory that one server message can take.
    let largest = usize::try_from(socket.websocket.largest_message).unwrap_or(usize::MAX);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest));
    let (stream, answer) = client_async_with_config(request, stream, Some(config))
        .await
        .map_err(|error| failures::of(&error))?;
    if let (Some(jar), Some((headers, uri))) = (user.cookies, place) {
        let place = Place::of(&headers, &uri, target);
        let now = worker.share.clock.time_of_day();
        jar.borrow_mut().keep(answer.headers(), place, now);
    }
    Ok((Line::new(stream), reserved))
}

fn request(worker: &Worker, target: &Target, socket: &Socket, user: Owner<'_>) -> Result<Request, Failure> {
    let url = target.url(&socket.websocket.path.render(user.values)?);
    let mut request = url
        .replacen("http", "ws", 1)
        .into_client_request()
        .map_err(|error| Failure::Request("its path cannot be in a URL".to_owned(), Detail::of(error)))?;
    for (name, value) in &socket.headers(target, user.values)? {
        request.headers_mut().insert(name, value.clone());
    }
    if let Some(jar) = user.cookies {
        let place = Place::of(request.headers(), request.uri(), target);
        let now = worker.share.clock.time_of_day();
        if let Some(headers) = jar.borrow().added_to(request.headers(), place, now) {
            *request.headers_mut() = headers;
        }
    }
    Ok(request)
}
