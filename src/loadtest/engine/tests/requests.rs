//! Requests go out as they were asked for, and answers are read however they are written.

use std::time::Duration;

use super::{begin, get, rate, scenario, server::Server, target};
use crate::{
    core::loadtest::{
        measured::Measured,
        scenario::model::{Action, BodyCheck},
    },
    loadtest::http::{Protocol, Target},
};

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

async fn ten(target: &Target, action: Action) -> Measured {
    let load = rate(20.0, Duration::from_millis(500));
    begin(scenario(load, vec![action]), target)
        .finish()
        .await
        .unwrap()
}

#[track_caller]
fn all_answered(measured: &Measured, what: impl std::fmt::Debug) {
    assert_eq!(
        (measured.total.answered, measured.total.failed()),
        (10, 0),
        "{what:?}: {:?}",
        measured.total.failures
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_in_the_url_are_sent() {
    let server = Server::plain().await;
    let url = server.url.replace("http://", "http://user:p%40ss@");
    for protocol in BOTH {
        let measured = ten(&target(&url, protocol, None), get("/auth")).await;
        all_answered(&measured, protocol);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_header_is_the_authority_of_http2() {
    let server = Server::plain().await;
    for protocol in BOTH {
        let mut target = target(&server.url, protocol, None);
        target.headers.insert("host", "other.example".parse().unwrap());
        all_answered(&ten(&target, get("/host")).await, protocol);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_with_200_headers_of_256_kib_is_read() {
    let server = Server::plain().await;
    for protocol in BOTH {
        let target = target(&server.url, protocol, None);
        all_answered(&ten(&target, get("/headers")).await, protocol);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_see_the_body_as_it_was_before_it_was_encoded() {
    let server = Server::plain().await;
    for path in ["/gzip"] {
        let Action::Request(mut request) = get(path) else {
            unreachable!("it is one")
        };
        request.checks = vec![BodyCheck::Json("/ok".to_owned())];
        let target = target(&server.url, Protocol::Http1, None);
        all_answered(&ten(&target, Action::Request(request)).await, path);
    }
}
