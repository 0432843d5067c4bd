//! The live page of a run, over real sockets: what it shows, how it stops the run, and whom it refuses.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, Response, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use support::{
    cluster::run_dir,
    eventually,
    process::{Process, Signal},
    service::Server,
    vas,
};

const DEADLINE: Duration = Duration::from_secs(60);

/// A run with a live page.
struct Run {
    process: Process,
    /// URL of the page, with the token.
    page: String,
    report: std::path::PathBuf,
    client: Client,
}

impl Run {
    /// Sends load for this long.
    async fn start(server: &Server, name: &str, duration: &str) -> Self {
        let url = format!("{}/health", server.url());
        Self::of(name, &[&url, "--rate=20", "--duration", duration]).await
    }

    /// The same of a scenario with flags of its own.
    async fn of(name: &str, what: &[&str]) -> Self {
        std::fs::create_dir_all(run_dir()).expect("a folder for the run");
        let report = run_dir().join(format!("live-page-{name}.html"));
        let output = format!("-ohtml={}", report.display());
        let args = [&["test", "run"], what, &["--web=127.0.0.1:0", "-q", &output]].concat();
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let process = vas::start("live-page", &args, &[]);
        let page = eventually(DEADLINE, "the URL is printed", || async {
            let log = process.log();
            let page = log.lines().find_map(|line| line.strip_prefix("live page: "));
            page.map(str::to_owned).ok_or(log.clone())
        })
        .await;
        // reqwest is built without a TLS provider, and requires one even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().expect("a client");
        Self {
            process,
            page,
            report,
            client,
        }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.page));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    }

    async fn status(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> u16 {
        self.ask(method, path, headers).await.status().as_u16()
    }

    fn address(&self) -> &str {
        self.page.split('/').nth(2).expect("an address")
    }

    fn token(&self) -> &str {
        self.page.split('/').nth(3).expect("a token")
    }
}

/// The next events until one has these words.
async fn event_with(events: &mut Response, words: &str) -> String {
    let mut read = String::new();
    let reading = async {
        while !read.contains(words) || !read.ends_with("\n\n") {
            let chunk = events.chunk().await.expect("the stream goes on");
            read += &String::from_utf8_lossy(&chunk.expect("the stream goes on"));
        }
    };
    tokio::time::timeout(DEADLINE, reading).await.expect(words);
    read
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_follows_the_run_stops_it_and_gets_the_report_that_is_written() {
    let server = Server::start(None).await;
    let mut run = Run::start(&server, "stopped", "10m").await;
    let mut events = run.ask(Method::GET, "events", &[]).await;
    let shown = event_with(&mut events, "3s").await;
    for words in [
        "\"state\":\"running\"",
        "Latency p95",
        "class=\\\"line answered\\\"",
        "of 10m",
    ] {
        assert!(shown.contains(words), "no {words} in {shown}");
    }
    assert_eq!(
        run.status(Method::GET, "report", &[]).await,
        404,
        "it is not over"
    );

    assert_eq!(run.status(Method::POST, "stop", &[]).await, 202);
    event_with(&mut events, "\"state\":\"over\"").await;
    let report = run.ask(Method::GET, "report", &[]).await;
    let policy = report.headers()["content-security-policy"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script-src"),
        "{policy}"
    );
    let report = report.bytes().await.expect("the report");
    drop(events);
    let status = run.process.wait(DEADLINE).await;
    assert_eq!(status.code(), Some(130), "as after Ctrl-C: {}", run.process.log());

    let written = std::fs::read(&run.report).expect("the report is written");
    assert!(report == written, "the page shows other bytes than the file has");
    let written = String::from_utf8(written).expect("text");
    assert!(
        written.contains("stopped after") && !written.contains("<script"),
        "{written}"
    );
    let log = run.process.log();
    assert_eq!(log.matches(run.token()).count(), 1, "{log}");
    assert!(!written.contains(run.token()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_that_the_setup_goes_on_and_its_button_ends_that_too() {
    // The setup hangs.
    let server = Server::start(None).await;
    let scenario = run_dir().join("live-page-setup.yaml");
    std::fs::create_dir_all(run_dir()).expect("a folder for the run");
    std::fs::write(
        &scenario,
        "load: {rate: [{duration: 1s, at: 5}]}\ntimeout: 10m\nsetup: {steps: [{get: /hang}]}\n\
         journeys: [{name: a, steps: [{get: /health}]}]\n",
    )
    .expect("a file");
    let mut run = Run::of(
        "setup",
        &[&scenario.display().to_string(), "--target", &server.url()],
    )
    .await;
    let mut events = run.ask(Method::GET, "events", &[]).await;
    event_with(&mut events, "\"state\":\"setup\"").await;
    assert_eq!(run.status(Method::POST, "stop", &[]).await, 202);
    let status = run.process.wait(DEADLINE).await;
    assert_eq!(status.code(), Some(130), "{}", run.process.log());
    assert!(run.process.log().contains("interrupted during the setup"));
    assert_eq!(server.asked().len(), 1, "the load was not begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_names_origins_tokens_and_methods_are_refused_and_the_run_goes_on() {
    let server = Server::start(None).await;
    let mut run = Run::start(&server, "guarded", "10m").await;
    let origin = format!("http://{}", run.address());
    for (name, value, status) in [
        ("host", "evil.example", 421),
        ("host", "192.0.2.1", 421),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
    ] {
        for (method, path) in [(Method::GET, ""), (Method::GET, "events"), (Method::POST, "stop")] {
            let answer = run.status(method, path, &[(name, value)]).await;
            assert_eq!(answer, status, "{name}: {value} at {path}");
        }
    }
    assert_eq!(run.status(Method::GET, "stop", &[]).await, 405);
    assert_eq!(run.status(Method::POST, "events", &[]).await, 405);
    for path in ["", "stop", "events", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/stop"] {
        let url = format!("{origin}/{path}");
        for method in [Method::GET, Method::POST] {
            let answer = run.client.request(method, &url).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{url}");
        }
    }
    for (path, kind) in [
        ("", "text/html"),
        ("live.js", "text/javascript"),
        ("live.css", "text/css"),
        ("none", "text/plain"),
    ] {
        let answer = run.ask(Method::GET, path, &[("origin", &origin)]).await;
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe-eval") && !policy.contains("http"),
            "{policy}"
        );
        assert!(
            !answer.text().await.expect("text").contains("://"),
            "nothing of elsewhere in {path}"
        );
    }
    run.process.assert_running();
    assert_eq!(
        run.status(Method::POST, "stop", &[("origin", &origin)]).await,
        202
    );
    assert_eq!(run.process.wait(DEADLINE).await.code(), Some(130));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_greedy_clients_harm_neither_the_page_nor_the_run() {
    let server = Server::start(None).await;
    let mut run = Run::start(&server, "crowded", "8s").await;
    let connect = async |text: &str| {
        let mut socket = TcpStream::connect(run.address()).await.expect("a connection");
        // The server may have closed it already.
        let _ = socket.write_all(text.as_bytes()).await;
        socket
    };
    let watch = format!("GET /{}/events HTTP/1.1\r\nHost: localhost\r\n\r\n", run.token());
    let mut held = Vec::new();
    for text in [watch.as_str(); 6].into_iter().chain(["GET / HT"; 60]) {
        held.push(connect(text).await);
    }
    let mut greedy = connect(&format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: {}\r\n\r\n",
        "a".repeat(1 << 20)
    ))
    .await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(DEADLINE, greedy.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    let refused = answer.starts_with("HTTP/1.1 431") || answer.is_empty();
    assert!(read.is_ok() && refused, "{answer}");
    let mut events = run.ask(Method::GET, "events", &[]).await;
    event_with(&mut events, "5s").await;
    assert_eq!(run.status(Method::GET, "", &[]).await, 200);
    let status = std::fs::read_to_string(format!("/proc/{}/status", run.process.id())).expect("it runs");
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = kib
        .and_then(|kib| kib.split_whitespace().next()?.parse().ok())
        .expect("its memory");
    assert!(kib < 150 << 10, "{kib} KiB");
    event_with(&mut events, "\"state\":\"over\"").await;
    let over = Instant::now();
    let ended = run.process.wait(DEADLINE).await.code();
    assert!(matches!(ended, Some(0 | 3)), "{ended:?}: {}", run.process.log());
    assert!(
        over.elapsed() < Duration::from_secs(20),
        "pages that fetch nothing are waited for a bounded time"
    );
    // Where the machine had no time for the generator, the run is invalid and has sent less.
    let (asked, least) = (server.asked().len(), if ended == Some(0) { 155 } else { 1 });
    assert!((least..=165).contains(&asked), "{asked} requests came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_nobody_watches_ends_at_once_and_a_signal_ends_the_wait() {
    let server = Server::start(None).await;
    let mut run = Run::start(&server, "alone", "2s").await;
    let began = Instant::now();
    // A machine that is busy with other tests may make the run prove nothing.
    let code = run.process.wait(DEADLINE).await.code();
    assert!(matches!(code, Some(0 | 3)), "{code:?}: {}", run.process.log());
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());

    let mut run = Run::start(&server, "left", "2s").await;
    let mut events = run.ask(Method::GET, "events", &[]).await;
    event_with(&mut events, "\"state\":\"over\"").await;
    let over = Instant::now();
    run.process.signal(Signal::Interrupt);
    run.process.wait(DEADLINE).await;
    assert!(over.elapsed() < Duration::from_secs(5), "{:?}", over.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_machines_and_suites_are_refused_before_anything_is_sent() {
    let server = Server::start(None).await;
    let target = format!("--target={}", server.url());
    for (args, words) in [
        (["http-smoke", "--web=0.0.0.0:0"], "--web-allow-remote"),
        (["http-smoke", "--web=[::]:0"], "--web-allow-remote"),
        (["quick", "--web=127.0.0.1:0"], "--web shows one run"),
    ] {
        let output = vas::run(&["test", "run", args[0], &target, args[1]]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(words), "{error}");
    }
    assert!(server.asked().is_empty());
}
