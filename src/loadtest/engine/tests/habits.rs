//! Servers that behave as real ones do, down to the bytes, and that record what they saw.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What a server saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Connections that it accepted.
    pub(crate) connections: usize,
    /// Requests in progress now, and the most at once.
    pub(crate) under_way: (usize, usize),
    /// Streams that it said it never looked at.
    pub(crate) declined: u64,
    /// Requested paths by the number of the connection.
    pub(crate) paths: BTreeMap<usize, BTreeSet<String>>,
}

/// Listens until it is dropped; its connections end with it.
pub(crate) struct Habit {
    /// URL of the server.
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Habit {
    /// Lets `look` read what the server saw.
    pub(crate) fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }

    /// HTTP/1.1 that ends each connection when its second request begins, as a server does whose keep-alive
    /// time ends at that moment.
    pub(crate) async fn short_keep_alive() -> Self {
        Self::each(|mut stream, _, _| async move {
            if request_head(&mut stream).await.is_some() {
                let _ = stream.write_all(EMPTY).await;
                // The next request is read, so that the connection ends with FIN and not with a reset.
                let _ = request_head(&mut stream).await;
            }
        })
        .await
    }

    /// HTTP/1.1 that begins its second answer on each connection and ends it in the middle of the head.
    pub(crate) async fn torn_answers() -> Self {
        Self::each(|mut stream, _, _| async move {
            if request_head(&mut stream).await.is_some() {
                let _ = stream.write_all(EMPTY).await;
                let _ = request_head(&mut stream).await;
                let _ = stream.write_all(b"HTTP/1.1 200").await;
            }
        })
        .await
    }

    /// HTTP/1.1 that answers the first request on each connection, holds the second, and is killed after
    /// `life`: it listens no more, and all connections are reset.
    pub(crate) async fn killed_after(life: Duration) -> Self {
        support::turn::wait();
        let habit = Self::each(|mut stream, _, _| async move {
            let _ = stream.set_zero_linger();
            if request_head(&mut stream).await.is_some() {
                let _ = stream.write_all(EMPTY).await;
                let _ = request_head(&mut stream).await;
                std::future::pending::<()>().await;
            }
        })
        .await;
        let killed = habit.task.abort_handle();
        tokio::spawn(async move {
            tokio::time::sleep(life).await;
            killed.abort();
        });
        habit
    }

    /// HTTP/1.1 that answers at once.
    pub(crate) async fn prompt() -> Self {
        Self::each(prompt).await
    }

    /// The same on an existing listener.
    pub(crate) fn prompt_on(listener: TcpListener) -> Self {
        Self::on(listener, prompt)
    }

    /// HTTP/2 that answers after `delay`; with `streams` it allows this many at once.
    pub(crate) async fn http2(delay: Duration, streams: Option<u32>) -> Self {
        Self::each(move |stream, number, seen| http2(stream, number, seen, delay, streams)).await
    }

    /// The same on its first connection; later connections are treated as `later` says.
    pub(crate) async fn http2_once(delay: Duration, streams: u32, later: Later) -> Self {
        Self::each(move |stream, number, seen| async move {
            match later {
                _ if number == 0 => http2(stream, number, seen, delay, Some(streams)).await,
                Later::Held => std::future::pending().await,
                Later::Ended => drop(stream),
            }
        })
        .await
    }

    /// HTTP/2 that allows no streams until `after`, and then answers everything.
    pub(crate) async fn allowing_none_until(after: Duration) -> Self {
        support::turn::wait();
        Self::each(move |mut stream, _, _| async move {
            let _ = frames::greet_allowing(&mut stream, 0).await;
            tokio::time::sleep(after).await;
            let _ = stream.write_all(&frames::allow(100)).await;
            while let Some(frame) = frames::next(&mut stream).await {
                if frame.kind == frames::HEADERS {
                    let _ = stream.write_all(&frames::ok(frame.stream)).await;
                }
            }
        })
        .await
    }

    /// HTTP/2 that allows one stream, refuses the first one after `after`, and never answers another.
    pub(crate) async fn refusing_one_and_silent(after: Duration) -> Self {
        support::turn::wait();
        Self::each(move |mut stream, _, _| async move {
            let _ = frames::greet_allowing(&mut stream, 1).await;
            let mut refused = false;
            while let Some(frame) = frames::next(&mut stream).await {
                if frame.kind == frames::HEADERS && !refused {
                    refused = true;
                    tokio::time::sleep(after).await;
                    let _ = stream.write_all(&frames::refuse(frame.stream)).await;
                }
            }
        })
        .await
    }

    /// HTTP/2 that sends GOAWAY on its first connection when the second request comes, and names the first
    /// request as the last one that it processed. On other connections it answers everything.
    pub(crate) async fn going_away() -> Self {
        Self::each(|mut stream, number, seen| async move {
            let mut last = None;
            let _ = frames::greet(&mut stream).await;
            while let Some(frame) = frames::next(&mut stream).await {
                if frame.kind != frames::HEADERS {
                    continue;
                }
                let answer = match last {
                    Some(last) if number == 0 => {
                        seen.lock().unwrap().declined += 1;
                        frames::go_away(last)
                    }
                    _ => frames::ok(frame.stream),
                };
                last.get_or_insert(frame.stream);
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    /// HTTP/2 that refuses the first stream of each connection and answers the others.
    pub(crate) async fn refusing() -> Self {
        Self::each(|mut stream, _, seen| async move {
            let _ = frames::greet(&mut stream).await;
            let mut refused = false;
            while let Some(frame) = frames::next(&mut stream).await {
                if frame.kind == frames::HEADERS {
                    let answer = if refused {
                        frames::ok(frame.stream)
                    } else {
                        seen.lock().unwrap().declined += 1;
                        frames::refuse(frame.stream)
                    };
                    refused = true;
                    let _ = stream.write_all(&answer).await;
                }
            }
        })
        .await
    }

    async fn each<F>(serve: impl Fn(TcpStream, usize, Arc<Mutex<Seen>>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), serve)
    }

    fn on<F>(
        listener: TcpListener,
        serve: impl Fn(TcpStream, usize, Arc<Mutex<Seen>>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let all = seen.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut seen = all.lock().unwrap();
                    seen.connections += 1;
                    seen.connections - 1
                };
                let _ = stream.set_nodelay(true);
                connections.spawn(serve(stream, number, all.clone()));
            }
        });
        Self { url, seen, task }
    }
}

impl Drop for Habit {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a server does with the connections after its first.
#[derive(Clone, Copy)]
pub(crate) enum Later {
    /// They are accepted, and nothing is sent on them.
    Held,
    /// They are ended at once.
    Ended,
}

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async fn prompt(mut stream: TcpStream, number: usize, seen: Arc<Mutex<Seen>>) {
    while let Some(path) = request_head(&mut stream).await {
        asked(&seen, number, &path);
        seen.lock().unwrap().under_way.0 -= 1;
        if stream.write_all(EMPTY).await.is_err() {
            return;
        }
    }
}

async fn http2(
    stream: TcpStream,
    number: usize,
    seen: Arc<Mutex<Seen>>,
    delay: Duration,
    streams: Option<u32>,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            asked(&seen, number, request.uri().path());
            tokio::time::sleep(delay).await;
            seen.lock().unwrap().under_way.0 -= 1;
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
        }
    });
    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

fn asked(seen: &Mutex<Seen>, number: usize, path: &str) {
    let mut seen = seen.lock().unwrap();
    seen.under_way.0 += 1;
    seen.under_way.1 = seen.under_way.1.max(seen.under_way.0);
    seen.paths.entry(number).or_default().insert(path.to_owned());
}

/// Reads the head of a request without a body; its path, or `None` at the end of the connection.
async fn request_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    head.split(' ').nth(1).map(str::to_owned)
}

/// Just enough of HTTP/2's frames (RFC 9113) to behave as no library would.
mod frames {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    pub(crate) const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const GO_AWAY: u8 = 7;
    const END: u8 = 0x5;
    const ACKNOWLEDGE: u8 = 0x1;
    const REFUSED_STREAM: u32 = 7;
    const MAX_CONCURRENT_STREAMS: u16 = 3;

    pub(crate) struct Frame {
        pub kind: u8,
        pub stream: u32,
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// `:status: 200`, which is in HPACK's static table, with END_STREAM.
    pub(crate) fn ok(stream: u32) -> Vec<u8> {
        frame(HEADERS, END, stream, &[0x88])
    }

    pub(crate) fn go_away(last: u32) -> Vec<u8> {
        frame(GO_AWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
    }

    pub(crate) fn refuse(stream: u32) -> Vec<u8> {
        frame(RESET, 0, stream, &REFUSED_STREAM.to_be_bytes())
    }

    /// A SETTINGS frame that allows this many streams at once.
    pub(crate) fn allow(streams: u32) -> Vec<u8> {
        frame(
            SETTINGS,
            0,
            0,
            &[&MAX_CONCURRENT_STREAMS.to_be_bytes()[..], &streams.to_be_bytes()].concat(),
        )
    }

    /// Reads the preface of the client and sends empty settings.
    pub(crate) async fn greet(stream: &mut TcpStream) -> std::io::Result<()> {
        greet_with(stream, &frame(SETTINGS, 0, 0, &[])).await
    }

    /// As `greet`, with settings that allow this many streams at once.
    pub(crate) async fn greet_allowing(stream: &mut TcpStream, streams: u32) -> std::io::Result<()> {
        greet_with(stream, &allow(streams)).await
    }

    async fn greet_with(stream: &mut TcpStream, settings: &[u8]) -> std::io::Result<()> {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await?;
        stream.write_all(settings).await
    }

    /// The next frame; settings are acknowledged.
    pub(crate) async fn next(stream: &mut TcpStream) -> Option<Frame> {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap()];
        stream.read_exact(&mut payload).await.ok()?;
        if kind == SETTINGS && flags & ACKNOWLEDGE == 0 {
            stream
                .write_all(&frame(SETTINGS, ACKNOWLEDGE, 0, &[]))
                .await
                .ok()?;
        }
        Some(Frame {
            kind,
            stream: u32::from_be_bytes(id),
        })
    }
}
