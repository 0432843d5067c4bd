//! Servers that answer an upload before they have read it, as proxies do with an upload that is too large.
//! The answer counts when it is complete, and the rest of the upload is not sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{begin, get, rate, scenario, server::Server, target, template};
use crate::{
    http::Protocol,
    model::measured::Measured,
    scenario::{
        model::{Action, Scenario},
        payload::Payload,
    },
};

/// More than the buffers of both ends hold.
const LARGE: usize = 24 << 20;
/// How long a server reads nothing after its answer.
const UNREAD: Duration = Duration::from_secs(3);
/// Long enough for a busy machine, and much shorter than [`UNREAD`].
const AT_ONCE: Duration = Duration::from_millis(1500);
const REQUESTS: u64 = 4;

/// Answers the first request of each connection after its head.
struct Early {
    url: String,
    /// Bytes of bodies that arrived nevertheless.
    read: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Early {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Early {
    /// `closes`: whether the server ends the connection right after the answer.
    async fn start(closes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let read = Arc::<AtomicU64>::default();
        let counts = read.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(refuse(stream, closes, counts.clone()));
            }
        });
        Self { url, read, task }
    }
}

async fn refuse(mut stream: TcpStream, closes: bool, read: Arc<AtomicU64>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let answer = b"HTTP/1.1 413 Payload Too Large\r\ncontent-length: 5\r\n\r\nlarge";
    stream.write_all(answer).await.unwrap();
    if closes {
        return;
    }
    tokio::time::sleep(UNREAD).await;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 {
            return;
        }
        read.fetch_add(u64::try_from(count).unwrap(), Ordering::Relaxed);
    }
}

fn uploads(path: &str) -> Scenario {
    let Action::Request(mut request) = get(path) else {
        panic!("a request")
    };
    request.method = "POST".to_owned();
    request.body = Some(vec![Payload::Text(template(&"x".repeat(LARGE)))]);
    scenario(rate(4.0, Duration::from_secs(1)), vec![Action::Request(request)])
}

fn all_were_refused_at_once(measured: &Measured) {
    let total = &measured.total;
    assert_eq!(total.failures, [("status 413".to_owned(), REQUESTS)].into());
    let longest = total.service_time.max().expect("there are some");
    assert!(longest < AT_ONCE, "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_before_the_end_of_an_upload_counts_when_it_is_whole_and_ends_the_connection() {
    let server = Early::start(false).await;
    let target = target(&server.url, Protocol::Http1, None);
    let measured = begin(uploads("/"), &target).finish().await.unwrap();
    all_were_refused_at_once(&measured);
    assert_eq!(measured.generator.connections, REQUESTS);
    // The buffers of both ends have arrived, and not the rest.
    tokio::time::sleep(UNREAD).await;
    let all = REQUESTS * u64::try_from(LARGE).unwrap();
    let read = server.read.load(Ordering::Relaxed);
    assert!(read < all, "{read} of {all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_also_when_the_server_ends_the_connection_under_the_upload() {
    let server = Early::start(true).await;
    let target = target(&server.url, Protocol::Http1, None);
    let measured = begin(uploads("/"), &target).finish().await.unwrap();
    all_were_refused_at_once(&measured);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_the_stream_of_an_unfinished_upload_ends_and_the_connection_serves_others() {
    let server = Server::plain().await;
    let target = target(&server.url, Protocol::Http2, None);
    let measured = begin(uploads("/refused"), &target).finish().await.unwrap();
    all_were_refused_at_once(&measured);
    assert_eq!(measured.generator.connections, 1);
}
