//! Steps that go to other hosts than the target.

use super::{begin_with, parsed, server::Server, target};
use crate::{engine::Settings, http::Protocol};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_hosts_share_one_limit_of_connections_and_nobody_waits_for_an_idle_one() {
    let (shop, auth) = (Server::plain().await, Server::plain().await);
    let text = format!(
        "
load: {{users: [{{duration: 1m, at: 3}}], iterations: 30}}
timeout: 10s
hosts: {{auth: '{}'}}
journeys:
- name: a
  steps:
  - {{name: token, host: auth, get: /}}
  - {{name: order, get: /after/5}}
  - {{name: talk, host: auth, websocket: {{path: /echo, hold: 20ms}}}}
",
        auth.url
    );
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let settings = Settings {
            threads: Some(1),
            max_connections: Some(1),
            ..Settings::default()
        };
        let target = target(&shop.url, protocol, None);
        let running = begin_with(parsed(&text), &target, settings);
        let measured = running.finish().await.unwrap();
        let answered = ["token", "order", "talk"].map(|step| measured.steps[step].answered);
        assert_eq!(
            answered,
            [30, 30, 30],
            "{protocol:?} {:?}",
            measured.total.failures
        );
        assert_eq!(measured.generator.connections_peak, 1, "{protocol:?}");
    }
}
