//! Serves the live page: connections with limits, and the answer to each route.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{Request, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::timeout,
};

use super::{
    Shared,
    answer::{self, Answer},
    guard::Route,
    viewer::{self, Pace},
};
use crate::report::html;
use vas_cluster::listening::{
    self,
    slots::{ConnectionSlots, InFlight, Slot},
};

/// Connections held at once; a new client takes the slot of one that has no request in flight.
const MAX_CONNECTIONS: usize = 32;
/// Longest time for the head of a request, and between two requests.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of a request, in bytes; also the most that is kept for a client that does not read.
const MAX_HEAD: usize = 16 << 10;
/// Longest wait for answers that are being sent when the server ends.
const DRAIN: Duration = Duration::from_secs(1);

/// The page without a run. Its script fills it.
const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("live.js");
/// What the live page has beyond the style of the report.
const STYLE: &str = include_str!("live.css");

/// Serves until the server is closed.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let stop = shared.closing.clone();
    let connection = |stream, slot| connection(stream, slot, shared.clone());
    let slots = ConnectionSlots::new(MAX_CONNECTIONS);
    let connections = listening::accept(listener, slots, &stop, connection).await;
    // A client that still reads its answer then loses the connection.
    let _ = timeout(DRAIN, connections.wait()).await;
}

/// Serves one connection to its end. An error on it is the client's business.
pub(super) async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    slot: Arc<Slot>,
    shared: Arc<Shared>,
) {
    let pace = Arc::new(Pace::default());
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer(&request, &shared, &pace, slot.begin_request());
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => (),
        () = shared.closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
        () = slot.idle_for(IDLE_TIMEOUT, IDLE_TIMEOUT) => (),
        () = slot.evicted() => (),
        () = pace.stalled() => (),
    }
}

fn answer(
    request: &Request<Incoming>,
    shared: &Arc<Shared>,
    pace: &Arc<Pace>,
    in_flight: InFlight,
) -> Answer {
    let route = match shared.guard.route(request) {
        Ok(route) => route,
        Err(refusal) => return answer::refused(refusal),
    };
    match route {
        Route::Page => answer::full(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        Route::Script => answer::full(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT),
        Route::Style => {
            let style = [html::STYLE, STYLE].concat();
            answer::full(StatusCode::OK, "text/css; charset=utf-8", style)
        }
        Route::Events => viewer::watch(shared, pace, in_flight).map_or_else(
            || answer::text(StatusCode::SERVICE_UNAVAILABLE, "too many pages watch this run"),
            answer::events,
        ),
        Route::Report => report(shared, request.uri().query()),
        Route::Stop => stop(shared),
    }
}

/// The report, which the page of this query has then: `page=7`.
fn report(shared: &Shared, query: Option<&str>) -> Answer {
    let Some(page) = shared.report.lock().clone() else {
        return answer::text(
            StatusCode::NOT_FOUND,
            "the run goes on: its report is not there yet",
        );
    };
    let number = query.and_then(|query| query.strip_prefix("page="));
    if let Some(number) = number.and_then(|number| number.parse().ok()) {
        shared.audience.send_modify(|audience| audience.serve(number));
    }
    answer::report(page)
}

fn stop(shared: &Shared) -> Answer {
    if !shared.live.lock().stop() {
        return answer::text(StatusCode::CONFLICT, "there is no load to stop any more");
    }
    shared.stop.cancel();
    shared.wake.notify_one();
    answer::text(StatusCode::ACCEPTED, "stopping")
}
