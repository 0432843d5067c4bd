//! Room within the limit of connections: idle connections are closed for requests that cannot use them.

use super::{
    Settings, begin_with,
    connections::{SECOND, finished, users},
    get, quiet, rate, scenario,
    server::Server,
    target,
};
use crate::{
    engine::Sharing,
    http::Protocol,
    model::measured::Measured,
    scenario::model::{Action, Load},
};

/// A request, and then a WebSocket.
async fn measure(load: Load, protocol: Protocol, sharing: Sharing, max_connections: u64) -> Measured {
    let server = Server::plain().await;
    let actions = vec![get("/after/300"), Action::WebSocket(quiet("/echo", SECOND / 10))];
    let mut scenario = scenario(load, actions);
    scenario.timeout = 5 * SECOND;
    let settings = Settings {
        max_connections: Some(max_connections),
        threads: Some(1),
        sharing,
        ..Settings::default()
    };
    finished(begin_with(
        scenario,
        &target(&server.url, protocol, None),
        settings,
    ))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_http2_without_streams_gives_its_room_to_a_websocket() {
    for count in [1.0, 3.0] {
        let measured = measure(users(count, SECOND), Protocol::Http2, Sharing::Shared, 1).await;
        assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
        assert!(measured.total.answered >= 2, "{}", measured.total.answered);
        assert_eq!(measured.generator.connections_peak, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_gives_up_its_connection_for_its_websocket_where_all_would_wait_for_each_other() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let measured = measure(rate(5.0, SECOND), protocol, Sharing::PerUser, 2).await;
        assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
        // Five journeys. Those in progress at the end of the load may stop before their WebSocket.
        let answered = measured.total.answered;
        assert!(answered > 5, "{protocol:?} {answered}");
    }
}
