//! Answers are counted by their status, and bodies by their bytes, as the server knows them.

use std::time::Duration;

use super::{
    begin, get, rate,
    raw::{Server, answer, say},
    scenario, target, template,
};
use crate::{
    http::Protocol,
    model::measured::Measured,
    scenario::{model::Action, payload::Payload},
};

const LENGTH: Duration = Duration::from_secs(1);

/// Twenty requests, each on a new connection.
async fn measure(server: &Server, action: Action) -> Measured {
    let mut target = target(
        &format!("http://127.0.0.1:{}", server.port),
        Protocol::Http1,
        None,
    );
    target.fresh_connections = true;
    let load = scenario(rate(20.0, LENGTH), vec![action]);
    begin(load, &target).finish().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_counts_with_its_status_and_every_body_with_its_bytes() {
    let server = Server::start(|stream, number| {
        let answer = match number % 4 {
            0 | 1 => format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{}",
                "a".repeat(1000)
            ),
            2 => "HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy".to_owned(),
            // The body that was announced does not come.
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf".to_owned(),
        };
        say(stream, answer)
    })
    .await;
    let mut post = get("/");
    if let Action::Request(request) = &mut post {
        request.method = "POST".to_owned();
        request.body = Some(vec![Payload::Text(template("seventeen letters"))]);
    }
    let measured = measure(&server, post).await;
    assert_eq!((measured.total.answered, measured.total.failed()), (10, 10));
    let traffic = measured.total.traffic.unwrap();
    assert_eq!(traffic.statuses, [(200, 15), (503, 5)].into());
    assert_eq!(
        (traffic.sent_bytes, traffic.received_bytes),
        (20 * 17, 10 * 1000 + 5 * 4 + 5 * 4)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_only_redirects_is_seen_to_do_so() {
    let server = Server::start(|stream, _| {
        let answer = "HTTP/1.1 302 Found\r\nlocation: https://elsewhere/\r\ncontent-length: 0\r\n\r\n";
        say(stream, answer.to_owned())
    })
    .await;
    let measured = measure(&server, get("/")).await;
    assert_eq!(measured.total.answered, 20, "{:?}", measured.total.failures);
    assert!(measured.total.traffic.unwrap().only_redirects());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_followed_counts_with_the_status_it_leads_to_and_the_bytes_of_both() {
    let server = Server::start(|stream, _| {
        answer(stream, |asked| {
            if asked.starts_with("GET /a ") {
                "HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 5\r\n\r\nmoved".to_owned()
            } else {
                "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\narrived".to_owned()
            }
        })
    })
    .await;
    let mut followed = get("/a");
    if let Action::Request(request) = &mut followed {
        request.follow = Some(true);
    }
    let traffic = measure(&server, followed).await.total.traffic.unwrap();
    assert_eq!(traffic.statuses, [(200, 20)].into());
    assert_eq!((traffic.sent_bytes, traffic.received_bytes), (0, 20 * (5 + 7)));
}
