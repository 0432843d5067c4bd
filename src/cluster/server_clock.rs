//! The API server's clock, for moments that others compare with theirs: this machine's may be wrong.

use std::time::Duration;

use hyper::Request;
use jiff::{SignedDuration, Timestamp};
use kube::{Client, client::Body};

use super::clock::{Clock as _, SystemClock};

/// Longest wait for an answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The time on the API server's clock, in whole seconds; `None` if it does not tell.
pub async fn server_time(client: &Client) -> Option<Timestamp> {
    let request = Request::get("/version").body(Body::empty()).ok()?;
    let answer = tokio::time::timeout(TIME_LIMIT, client.send(request))
        .await
        .ok()?
        .ok()?;
    let date = answer.headers().get(hyper::header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(date.timestamp())
}

/// A clock that goes as the API server's does, as exact as whole seconds are.
#[derive(Clone, Copy, Debug)]
pub struct ServerClock {
    machine: SystemClock,
    ahead: SignedDuration,
}

impl ServerClock {
    /// Asks once. Where the API server does not tell, this machine's clock counts.
    pub async fn of(client: &Client) -> Self {
        let machine = SystemClock::new();
        let ahead = server_time(client)
            .await
            .map(|theirs| theirs.duration_since(machine.now()));
        Self {
            machine,
            ahead: ahead.unwrap_or_default(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let now = self.machine.now();
        now.checked_add(self.ahead).unwrap_or(now)
    }
}
