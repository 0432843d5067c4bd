//! Requests go out as the scenario writes them, and answers are read in every encoding.

use std::time::Duration;

use super::{begin, begin_with, get, json, rate, scenario, server::Server, target, template};
use crate::{
    engine::Settings,
    http::{Protocol, Target},
    model::measured::Measured,
    scenario::{
        model::{Action, Load, Request, Statuses},
        rate::Profile,
    },
};

const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

async fn ten(target: &Target, action: Action) -> Measured {
    let load = rate(20.0, Duration::from_millis(500));
    begin(scenario(load, vec![action]), target)
        .finish()
        .await
        .unwrap()
}

fn request(path: &str) -> Request {
    match get(path) {
        Action::Request(request) => request,
        Action::WebSocket(_) => unreachable!("it is a request"),
    }
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
    for path in ["/gzip", "/br", "/zstd"] {
        let mut request = request(path);
        request.checks = vec![json("/ok")];
        let target = target(&server.url, Protocol::Http1, None);
        all_answered(&ten(&target, Action::Request(request)).await, path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_is_asked_for_with_its_slash_and_its_query() {
    let server = Server::plain().await;
    let url = format!("{}/exact/?a=b", server.url);
    for protocol in BOTH {
        all_answered(&ten(&target(&url, protocol, None), get("")).await, protocol);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_followed_where_that_is_asked_for_and_ten_at_most() {
    let server = Server::plain().await;
    for protocol in BOTH {
        let mut target = target(&server.url, protocol, None);
        let mut step = request("/redirects/10");
        step.expect = Statuses::Only(vec![200]);
        let action = Action::Request(step.clone());
        let measured = ten(&target, action.clone()).await;
        assert_eq!(measured.total.failures, [("status 302".to_owned(), 10)].into());
        target.follow = true;
        all_answered(&ten(&target, action).await, protocol);

        step.path = template("/redirects/11");
        let measured = ten(&target, Action::Request(step.clone())).await;
        let cause = "redirect: more than 10 in a row".to_owned();
        assert_eq!(measured.total.failures, [(cause, 10)].into());
        step.follow = Some(false);
        let measured = ten(&target, Action::Request(step)).await;
        assert_eq!(measured.total.failures, [("status 302".to_owned(), 10)].into());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_follow_to_no_other_host_and_its_connections_count() {
    let (server, other) = (Server::plain().await, Server::plain().await);
    for protocol in BOTH {
        let url = server.url.replace("http://", "http://user:p%40ss@");
        let mut target = target(&url, protocol, None);
        target.follow = true;
        // Another port is another host.
        let measured = ten(&target, get(&format!("/away?{}/anonymous", other.url))).await;
        all_answered(&measured, protocol);
        assert!(measured.generator.connections >= 11, "{:?}", measured.generator);
        let measured = ten(&target, get(&format!("/away?{}/auth", server.url))).await;
        all_answered(&measured, protocol);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_give_up_their_own_connections_where_a_redirect_needs_one_and_there_are_no_more() {
    let (server, other) = (Server::plain().await, Server::plain().await);
    let mut target = target(&server.url, Protocol::Http1, None);
    target.follow = true;
    let settings = Settings {
        threads: Some(1),
        max_connections: Some(3),
        ..Settings::default()
    };
    let load = Load::Closed(Profile::constant(3.0, Duration::from_millis(500)));
    let mut scenario = scenario(load, vec![get(&format!("/away?{}/anonymous", other.url))]);
    scenario.timeout = Duration::from_secs(5);
    let measured = begin_with(scenario, &target, settings).finish().await.unwrap();
    assert_eq!(measured.total.failed(), 0, "{:?}", measured.total.failures);
    assert!(measured.total.answered >= 3, "{}", measured.total.answered);
}
