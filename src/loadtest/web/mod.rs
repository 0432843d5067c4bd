//! The live page of a run: what happens while load is sent, in a browser, with a button that ends the run.
//!
//! ```text
//! guard     which requests are answered   answer   headers of answers
//! live      what is known of the run      viewer   an open page and its events    server   connections, routes
//! audience  who still needs the report    page.html, live.js, live.css            the page itself
//! ```
//!
//! The charts are those of the report, drawn by the server. They are drawn at most once a second, on a thread of their
//! own, and only while somebody watches; sending threads have no part in it. When the run is over, pages get the very
//! bytes of the HTML report.
//!
//! Must not: show the token anywhere but in [`Web::address`], or keep the process alive for longer than [`LINGER`].

mod answer;
mod audience;
mod guard;
mod live;
mod server;
mod viewer;

#[cfg(test)]
mod tests;

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::body::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use self::{
    audience::{Audience, Wait},
    guard::Guard,
    live::{Live, Run, State},
};
use crate::{
    engine::Detail,
    model::{measured::Second, scaling::Scaling},
    report::{Report, html},
    scenario::model::Scenario,
    token::Token,
};
use vas_cluster::listening;

/// Longest time that pages which are open at the end of a run have to get its report.
pub const LINGER: Duration = Duration::from_secs(10);
/// Shortest time between two events.
const EVERY: Duration = Duration::from_secs(1);

/// Why there is no live page.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address can be reached from other machines, and this was not allowed.
    #[error(
        "--web {0} can be reached from other machines, over plain HTTP: use 127.0.0.1 or [::1], or add --web-allow-remote"
    )]
    Remote(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} (--web): {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The operating system gives no random numbers for the token.
    #[error("cannot make the token of the live page (--web): the operating system gives no random numbers")]
    Token,
}

/// Where the live page is served. An address of other machines is possible only where that was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebAddress(SocketAddr);

impl WebAddress {
    /// The address to listen on.
    ///
    /// # Errors
    /// When other machines can reach the address and `allow_remote` is false.
    pub fn new(address: SocketAddr, allow_remote: bool) -> Result<Self, WebError> {
        if allow_remote || address.ip().to_canonical().is_loopback() {
            Ok(Self(address))
        } else {
            Err(WebError::Remote(address))
        }
    }
}

/// The live page of one run. It is served until this is [finished](Self::finish), or the runtime ends.
pub struct Web {
    shared: Arc<Shared>,
    address: SocketAddr,
    served: JoinHandle<()>,
}

/// What the run, the painter and the connections share.
struct Shared {
    guard: Guard,
    live: Mutex<Live>,
    report: Mutex<Option<Bytes>>,
    /// The newest event; `None` while nobody watches.
    events: watch::Sender<Option<Bytes>>,
    /// The pages.
    audience: watch::Sender<Audience>,
    /// There is something new, or somebody new.
    wake: Notify,
    /// Ends the run.
    stop: CancellationToken,
    /// Ends the server.
    closing: CancellationToken,
}

impl Web {
    /// Starts to serve; must be called on the runtime.
    ///
    /// # Errors
    /// When the address is in use or not one of this machine, or there are no random numbers.
    pub fn serve(address: WebAddress) -> Result<Self, WebError> {
        let WebAddress(address) = address;
        let failed = |source| WebError::Listen { address, source };
        let listener = listening::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let token = Token::random().map_err(|_| WebError::Token)?;
        Ok(Self::on(listener, address, token))
    }

    fn on(listener: TcpListener, address: SocketAddr, token: Token) -> Self {
        let shared = Arc::new(Shared {
            guard: Guard {
                token,
                remote: !address.ip().to_canonical().is_loopback(),
            },
            live: Mutex::default(),
            report: Mutex::default(),
            events: watch::Sender::default(),
            audience: watch::Sender::default(),
            wake: Notify::new(),
            stop: CancellationToken::new(),
            closing: CancellationToken::new(),
        });
        tokio::spawn(paint(shared.clone()));
        Self {
            served: tokio::spawn(server::serve(listener, shared.clone())),
            shared,
            address,
        }
    }

    /// The URL of the page, with the token. It must be shown once, to the user, and written nowhere.
    pub fn address(&self) -> String {
        format!("http://{}/{}/", self.address, self.shared.guard.token.text())
    }

    /// Whether a page is open.
    pub fn is_watched(&self) -> bool {
        self.shared.audience.borrow().open() > 0
    }

    /// The steps of the setup are done now.
    pub fn set_up(&self) {
        self.enter(State::Setup, &[State::Starting]);
    }

    /// The load is over, and the steps of the teardown are done now.
    pub fn tear_down(&self) {
        self.enter(State::Teardown, &[State::Running, State::Stopping]);
    }

    /// Goes to a state from one of others; an end that was asked for meanwhile stays.
    fn enter(&self, state: State, from: &[State]) {
        let mut live = self.shared.live.lock();
        if from.contains(&live.state) {
            live.state = state;
        }
        drop(live);
        self.shared.wake.notify_one();
    }

    /// The load begins at this moment. `target` is its URL as reports show it.
    pub fn begin(&self, scenario: &Arc<Scenario>, target: &str, began: Timestamp) {
        let run = Run::new(scenario.clone(), target, began);
        self.shared.live.lock().run = Some(run);
        self.enter(State::Running, &[State::Starting, State::Setup]);
    }

    /// Adds a complete second of the run, with what was seen of the workload.
    pub fn second(&self, second: &Second, detail: &Detail, scaling: Option<Scaling>) {
        if let Some(run) = &mut self.shared.live.lock().run {
            run.second(second, detail, scaling);
        }
        self.shared.wake.notify_one();
    }

    /// The run is over: pages that are open get the report. Returns as soon as each has it or is gone, and after
    /// [`LINGER`] at the latest; at once where no page is open.
    pub async fn finish(self, report: &Report) {
        let shared = self.shared;
        *shared.report.lock() = Some(Bytes::from(html::render(report)));
        shared.live.lock().state = State::Over;
        shared.wake.notify_one();
        let _ = timeout(LINGER, served(&shared.audience)).await;
        shared.closing.cancel();
        let _ = self.served.await;
    }
}

/// Completes when the live page asks for the end of the run; never where there is none.
pub(crate) async fn stopped(web: Option<&Web>) {
    match web {
        Some(web) => web.shared.stop.cancelled().await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("listens", &self.address)
            .finish_non_exhaustive()
    }
}

/// Completes when each page has the report or is gone.
async fn served(audience: &watch::Sender<Audience>) {
    let mut audience = audience.subscribe();
    loop {
        let wait = audience.borrow_and_update().wait(Instant::now());
        let gone = async {
            match wait {
                Wait::Nobody => {}
                Wait::Until(gone) => sleep_until(gone).await,
                Wait::Open => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // The sender lives as long as this, so that there is no other end.
            _ = audience.changed() => {}
            () = gone => return,
        }
    }
}

/// Draws what is new for the open pages: at most once in [`EVERY`], and nothing where there is no page.
async fn paint(shared: Arc<Shared>) {
    while let Some(()) = shared.closing.run_until_cancelled(shared.wake.notified()).await {
        if shared.audience.borrow().open() == 0 {
            shared.events.send_replace(None);
            continue;
        }
        let live = shared.live.lock().clone();
        let drawn = tokio::task::spawn_blocking(move || live.event()).await;
        shared.events.send_replace(drawn.ok());
        tokio::time::sleep(EVERY).await;
    }
}
