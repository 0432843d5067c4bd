//! The API server's clock, for timestamps that are compared with those of the API server: this machine's
//! clock may be wrong.

use std::time::Duration;

use hyper::Request;
use jiff::{SignedDuration, Timestamp};
use kube::{Client, client::Body};

use super::clock::{Clock as _, SystemClock};

/// Longest wait for the answer of the API server.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The time on the API server's clock, in whole seconds; `None` if no answer with a `Date` header came.
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

/// A clock that follows the API server's clock, with an accuracy of about one second.
#[derive(Clone, Copy, Debug)]
pub struct ServerClock {
    machine: SystemClock,
    ahead: SignedDuration,
}

impl ServerClock {
    /// Asks the API server for its time once. Falls back to this machine's clock when that fails.
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

    /// The API server's time now.
    pub fn now(&self) -> Timestamp {
        let now = self.machine.now();
        now.checked_add(self.ahead).unwrap_or(now)
    }
}
