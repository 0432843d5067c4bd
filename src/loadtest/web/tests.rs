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

/// One more page, without a connection.
fn join(web: &Web) -> u64 {
    let mut joined = None;
    let now = Instant::now();
    web.shared
        .audience
        .send_modify(|audience| joined = audience.join(now));
    joined.unwrap()
}

/// Waits until so many pages are open.
async fn until_open(web: &Web, enough: impl Fn(usize) -> bool) {
    let mut audience = web.shared.audience.subscribe();
    let reached = audience.wait_for(|audience| enough(audience.open()));
    timeout(Duration::from_secs(20), reached).await.unwrap().unwrap();
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
    until_open(&web, |open| open == 0).await;
    seconds(&web, 1);
    drawn.wait_for(Option::is_none).await.unwrap();
}

#[tokio::test]
async fn there_are_few_viewers_and_each_leaves_room_for_another() {
    let web = web();
    let mut viewers = Vec::new();
    for _ in 0..audience::MOST {
        let mut viewer = send(&web, "GET", "events").await;
        until(&mut viewer, "200 OK").await;
        viewers.push(viewer);
    }
    let mut late = send(&web, "GET", "events").await;
    until(&mut late, "503 Service Unavailable").await;
    viewers.pop();
    until_open(&web, |open| open < audience::MOST).await;
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
    let first = until(&mut viewer, "running").await;
    assert!(first.contains("event: page\ndata: 1\n\n"), "{first}");
    let mut early = send(&web, "GET", "report").await;
    until(&mut early, "404 Not Found").await;
    let (asked, address) = (request(&web, "GET", "report?page=1"), web.address);
    let page = async {
        until(&mut viewer, "\"state\":\"over\"").await;
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
    let number = join(&web);
    let began = Instant::now();
    web.finish(&crate::report::example::autoscaling()).await;
    assert!(began.elapsed() >= LINGER && began.elapsed() < LINGER * 2);
    assert_eq!(number, 1);
}

#[tokio::test]
async fn a_page_that_gets_the_report_twice_takes_the_wait_of_no_other() {
    let web = web();
    let mut other = send(&web, "GET", "events").await;
    until(&mut other, "running").await;
    let number = join(&web);
    let asks = [number, number, 99].map(|page| request(&web, "GET", &format!("report?page={page}")));
    let last = request(&web, "GET", "report?page=1");
    let (address, shared) = (web.address, web.shared.clone());
    let get = async |asked: &str| {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(asked.as_bytes()).await.unwrap();
        until(&mut socket, "</html>").await;
    };
    let pages = async {
        until(&mut other, "\"state\":\"over\"").await;
        for asked in &asks {
            get(asked).await;
        }
        assert!(!shared.closing.is_cancelled(), "the other page has no report yet");
        get(&last).await;
    };
    let (began, report) = (Instant::now(), crate::report::example::autoscaling());
    tokio::join!(web.finish(&report), pages);
    assert!(began.elapsed() < LINGER, "both have it");
}

#[tokio::test]
async fn a_page_that_is_closed_at_the_end_is_not_waited_for() {
    let web = web();
    let mut closed = send(&web, "GET", "events").await;
    until(&mut closed, "running").await;
    let shared = web.shared.clone();
    let closing = async {
        until(&mut closed, "\"state\":\"over\"").await;
        drop(closed);
        Instant::now()
    };
    let report = crate::report::example::autoscaling();
    let ((), gone) = tokio::join!(web.finish(&report), closing);
    assert!(shared.report.lock().is_some());
    assert!(gone.elapsed() < LINGER / 2, "{:?}", gone.elapsed());
}

#[tokio::test]
async fn what_is_done_before_and_after_the_load_has_a_name_and_an_end_that_was_asked_for_stays() {
    let address = WebAddress::new(([127, 0, 0, 1], 0).into(), false).unwrap();
    let web = Web::serve(address).unwrap();
    let state = |web: &Web| web.shared.live.lock().state;
    assert_eq!(state(&web), State::Starting);
    web.set_up();
    assert_eq!(state(&web), State::Setup);
    let mut viewer = send(&web, "GET", "events").await;
    until(&mut viewer, "\"state\":\"setup\"").await;
    let scenario = Arc::new(quick::scenario(
        Level::Rate(9.0),
        Duration::from_secs(60),
        true,
        Vec::new(),
    ));
    let begin = |web: &Web| web.begin(&scenario, "http://target.example", Timestamp::UNIX_EPOCH);
    begin(&web);
    assert_eq!(state(&web), State::Running);
    web.set_up();
    assert_eq!(state(&web), State::Running, "it does not go back");
    let mut stop = send(&web, "POST", "stop").await;
    until(&mut stop, "202 Accepted").await;
    timeout(LINGER, stopped(Some(&web))).await.unwrap();
    begin(&web);
    assert_eq!(state(&web), State::Stopping);
    web.tear_down();
    assert_eq!(state(&web), State::Teardown);
    let mut late = send(&web, "POST", "stop").await;
    until(&mut late, "409 Conflict").await;
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
    assert_eq!(web.shared.audience.borrow().open(), 0);
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
