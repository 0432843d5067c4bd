//! What the live page costs a run, and how long it keeps the process.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use super::*;
use crate::scenario::quick::{self, Level};
use vas_cluster::listening::slots::ConnectionSlots;

fn web() -> Web {
    let address = WebAddress::new(([127, 0, 0, 1], 0).into(), false).unwrap();
    let web = Web::serve(address).unwrap();
    let scenario = quick::scenario(Level::Rate(9.0), Duration::from_secs(60), true, Vec::new());
    web.begin(
        &Arc::new(scenario),
        "http://target.example",
        Timestamp::UNIX_EPOCH,
    );
    web
}

fn seconds(web: &Web, count: u32) {
    for at in 0..count {
        let second = Second {
            at,
            due: 9,
            answered: 9,
            ..Second::default()
        };
        web.second(&second, &Detail::default(), None);
    }
}

fn request(web: &Web, method: &str, path: &str) -> String {
    let token = web.shared.guard.token.text();
    format!("{method} /{token}/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

async fn send(web: &Web, method: &str, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(web.address).await.unwrap();
    socket
        .write_all(request(web, method, path).as_bytes())
        .await
        .unwrap();
    socket
}

/// Reads until the words have come.
async fn until(socket: &mut TcpStream, words: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(words) {
            let mut part = [0; 4096];
            let count = socket.read(&mut part).await.unwrap();
            assert!(count > 0, "no {words} in {}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&part[..count]);
        }
    };
    timeout(Duration::from_secs(20), reading).await.expect(words);
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn nothing_is_drawn_without_a_viewer_and_little_with_one() {
    let web = web();
    seconds(&web, 50);
    let mut socket = TcpStream::connect(web.address).await.unwrap();
    socket
        .write_all(request(&web, "GET", "").as_bytes())
        .await
        .unwrap();
    until(&mut socket, "</html>").await;
    assert!(
        web.shared.events.borrow().is_none(),
        "a page that is only loaded is no viewer"
    );

    let mut drawn = web.shared.events.subscribe();
    let began = Instant::now();
    let mut viewer = send(&web, "GET", "events").await;
    let event = until(&mut viewer, "}\n\n").await;
    for words in [
        "\"state\":\"running\"",
        "target.example",
        "Latency p95",
        "450 in all",
        "<svg",
    ] {
        assert!(event.contains(words), "{words} in {event}");
    }
    for _ in 0..2 {
        drawn.changed().await.unwrap();
        seconds(&web, 50);
    }
    assert!(
        began.elapsed() >= EVERY,
        "{:?} between two events",
        began.elapsed()
    );

    drop(viewer);
    web.shared
        .viewers
        .subscribe()
        .wait_for(|count| *count == 0)
        .await
        .unwrap();
    seconds(&web, 1);
    drawn.wait_for(Option::is_none).await.unwrap();
}

#[tokio::test]
async fn there_are_few_viewers_and_each_leaves_room_for_another() {
    let web = web();
    let mut viewers = Vec::new();
    for _ in 0..viewer::MOST {
        let mut viewer = send(&web, "GET", "events").await;
        until(&mut viewer, "200 OK").await;
        viewers.push(viewer);
    }
    let mut late = send(&web, "GET", "events").await;
    until(&mut late, "503 Service Unavailable").await;
    viewers.pop();
    let left = |count: &usize| *count < viewer::MOST;
    web.shared.viewers.subscribe().wait_for(left).await.unwrap();
    let mut another = send(&web, "GET", "events").await;
    until(&mut another, "200 OK").await;
}

#[tokio::test]
async fn a_page_gets_the_report_and_then_nothing_is_waited_for() {
    let report = crate::report::example::autoscaling();
    let alone = web();
    let began = Instant::now();
    alone.finish(&report).await;
    assert!(began.elapsed() < LINGER / 2, "nobody watched");

    let web = web();
    let mut viewer = send(&web, "GET", "events").await;
    until(&mut viewer, "running").await;
    let mut early = send(&web, "GET", "report").await;
    until(&mut early, "404 Not Found").await;
    let (asked, address) = (request(&web, "GET", "report"), web.address);
    let page = async {
        until(&mut viewer, "\"state\":\"over\"").await;
        drop(viewer);
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let began = Instant::now();
    let ((), answer) = tokio::join!(web.finish(&report), page);
    assert!(began.elapsed() < LINGER / 2, "the only page has it");
    assert!(
        answer.split_once("\r\n\r\n").unwrap().1 == html::render(&report),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fetches_nothing_is_waited_for_a_bounded_time() {
    let web = web();
    web.shared.viewers.send_modify(|count| *count += 1);
    let began = Instant::now();
    web.finish(&crate::report::example::autoscaling()).await;
    assert!(began.elapsed() >= LINGER && began.elapsed() < LINGER * 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_ask_or_does_not_read_loses_its_place() {
    let web = web();
    for sent in [
        String::new(),
        "GET /a HT".to_owned(),
        request(&web, "GET", "live.css"),
        request(&web, "GET", "events"),
    ] {
        let held = ConnectionSlots::new(1)
            .acquire([127, 0, 0, 1].into())
            .await
            .unwrap();
        let (mut client, server) = tokio::io::duplex(1024);
        client.write_all(sent.as_bytes()).await.unwrap();
        let connection = server::connection(server, held.slot(), web.shared.clone());
        let ended = timeout(Duration::from_secs(120), connection).await;
        assert!(ended.is_ok(), "{sent:?}");
    }
    assert_eq!(*web.shared.viewers.borrow(), 0);
}

#[test]
fn an_address_of_other_machines_must_be_allowed() {
    for (address, local) in [
        ("127.0.0.1:0", true),
        ("127.9.9.9:80", true),
        ("[::1]:0", true),
        ("[::ffff:127.0.0.1]:0", true),
        ("0.0.0.0:0", false),
        ("[::]:0", false),
        ("192.0.2.1:80", false),
    ] {
        let address: SocketAddr = address.parse().unwrap();
        assert_eq!(WebAddress::new(address, false).is_ok(), local, "{address}");
        assert!(WebAddress::new(address, true).is_ok());
    }
}
