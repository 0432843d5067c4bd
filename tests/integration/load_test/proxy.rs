//! Load through an HTTP proxy: every connection is a tunnel, and its failures are told apart from the target's.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{
    catcher::{Catcher, answer},
    command::{file, read, valid_test, words},
    inputs::scenario,
};

/// A proxy that wants credentials: `user:pass word`.
struct Proxy {
    url: String,
    /// The heads of the requests that it got.
    heads: Arc<Mutex<Vec<String>>>,
    tunnels: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (heads, tunnels) = (
            Arc::<Mutex<Vec<String>>>::default(),
            Arc::<AtomicUsize>::default(),
        );
        let (kept, opened) = (heads.clone(), tunnels.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, kept.clone(), opened.clone()));
            }
        });
        Self {
            url: format!("127.0.0.1:{}", address.port()),
            heads,
            tunnels,
            task,
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn tunnel(
    stream: TcpStream,
    heads: Arc<Mutex<Vec<String>>>,
    opened: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    heads
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(head.clone());
    // Base64 of the user and the password.
    if !head
        .to_ascii_lowercase()
        .contains("\r\nproxy-authorization: basic dxnlcjpwyxnzihdvcmq=")
    {
        return stream
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            .await;
    }
    let place = head
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split_once(' '))
        .map_or("", |(place, _)| place)
        .to_owned();
    let Ok(mut target) = TcpStream::connect(&place).await else {
        return stream
            .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            .await;
    };
    opened.fetch_add(1, Ordering::Relaxed);
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    copy_bidirectional(&mut stream, &mut target).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_goes_through_the_proxy_and_neither_side_sees_the_headers_of_the_other() {
    let server = Catcher::answering(|_| answer(200, "ok")).await;
    let proxy = Proxy::start().await;
    let with_password = format!("http://user:pass%20word@{}", proxy.url);
    let json = file("proxy.json");
    let output = format!("json={}", json.display());
    let scenario = scenario("proxy.yaml");
    let run = [
        "run",
        &scenario,
        "--target",
        &server.url,
        "-H",
        "x-token: t0p",
        "-o",
        &output,
    ];
    let ended = valid_test(&[&run[..], &["--proxy", &with_password]].concat()).await;
    let (stdout, stderr) = words(&ended);
    assert_eq!(ended.status.code(), Some(0), "{stdout}{stderr}");

    let arrived = server.take();
    assert!(!arrived.is_empty());
    for request in &arrived {
        assert_eq!(request.header("x-token"), "t0p");
        assert_eq!(
            request.header("proxy-authorization"),
            "",
            "the target sees the password"
        );
    }
    let heads = proxy.heads.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(heads.len(), proxy.tunnels.load(Ordering::Relaxed));
    assert!(!heads.is_empty(), "nothing went through the proxy");
    for head in &heads {
        assert!(head.starts_with("CONNECT 127.0.0.1:"), "{head}");
        assert!(
            !head.contains("t0p"),
            "the proxy sees a header of the target: {head}"
        );
    }
    // The report says that there was a proxy, without its password.
    let report = read(&json).to_string();
    let shown = format!("through the proxy http://***@{}", proxy.url);
    assert!(report.contains(&shown), "{report}");
    for text in [&report, &stdout, &stderr] {
        assert!(
            !text.contains("pass%20word") && !text.contains("dXNlcjpwYXNzIHdvcmQ"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_proxy_fails_is_told_apart_from_what_the_target_fails() {
    let server = Catcher::answering(|_| answer(503, "")).await;
    let proxy = Proxy::start().await;
    let closed = support::process::free_port();
    let allowed = format!("http://user:pass%20word@{}", proxy.url);
    let refused = format!("http://user:wrong@{}", proxy.url);
    let away = format!("http://127.0.0.1:{closed}");
    let nowhere = format!("http://127.0.0.1:{closed}/");
    for (target, through, cause) in [
        (&server.url, &refused, "proxy: status 407 to CONNECT"),
        (&server.url, &away, "proxy: cannot connect: connection refused"),
        (&nowhere, &allowed, "proxy: status 502 to CONNECT"),
        (&server.url, &allowed, "status 503"),
    ] {
        let json = file("proxy-causes.json");
        let output = format!("json={}", json.display());
        let run = [
            "run",
            target,
            "--rate",
            "20",
            "--requests",
            "5",
            "--proxy",
            through,
            "-o",
            &output,
        ];
        let ended = valid_test(&run).await;
        assert_eq!(ended.status.code(), Some(99), "{:?}", words(&ended));
        let failures = &read(&json)["steps"]["GET"]["failures"];
        assert_eq!(failures[cause], 5, "{cause}: {failures}");
    }
    for (proxy, problem) in [
        ("proxy.example:3128", "is not the URL of a proxy"),
        ("http://user:secret@p/path", "has a path"),
        ("socks5://user:secret@p:1080", "is not the URL of a proxy"),
    ] {
        let ended = valid_test(&["run", &server.url, "--rate", "1", "--proxy", proxy]).await;
        let (_, stderr) = words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(problem) && !stderr.contains("secret"), "{stderr}");
    }
}
