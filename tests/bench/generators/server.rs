//! A server that answers at once and records when each request came. It is a process with one thread of its
//! own. It ends when the process that started it has ended.

use std::{
    cell::RefCell,
    convert::Infallible,
    io,
    process::Stdio,
    rc::Rc,
    time::{Duration, Instant},
};

use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

/// Path that returns all arrivals and forgets them.
const ARRIVALS: &str = "/arrivals";

/// Capacity reserved for the arrivals of one run, so that the list does not grow while it is measured.
const ROOM: usize = 4 << 20;

type Log = Rc<RefCell<Vec<u64>>>;

/// Serves until standard input ends. The first line of its output is its port.
pub(crate) async fn serve() {
    // The thread ends with the process.
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, accept());
    });
    let wait = || io::copy(&mut io::stdin().lock(), &mut io::sink());
    let _ = tokio::task::spawn_blocking(wait).await;
}

#[expect(clippy::print_stdout, reason = "the port is told to whoever started it")]
async fn accept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address").port());
    let (log, start) = (Log::new(RefCell::new(Vec::with_capacity(ROOM))), Instant::now());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let log = log.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| {
                let answer = answer(&request, &log, start);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(request: &Request<Incoming>, log: &Log, start: Instant) -> Response<Full<Bytes>> {
    if request.uri().path() == ARRIVALS {
        let arrivals = std::mem::replace(&mut *log.borrow_mut(), Vec::with_capacity(ROOM));
        let bytes: Vec<u8> = arrivals.into_iter().flat_map(u64::to_le_bytes).collect();
        return Response::new(Full::from(bytes));
    }
    let now = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    log.borrow_mut().push(now);
    Response::new(Full::from(&b"{\"status\":\"ok\"}"[..]))
}

/// The process of the server.
pub(crate) struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    /// Starts it and waits until it listens.
    pub(crate) async fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("our own program"))
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let mut said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        said.read_line(&mut line).await.expect("the server says its port");
        Self {
            port: line.trim().parse().expect("a port"),
            _process: process,
        }
    }

    /// The URL that requests are sent to.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Times of the requests since the last call, in seconds.
    pub(crate) async fn arrivals(&self) -> Vec<f64> {
        let url = format!("http://127.0.0.1:{}{ARRIVALS}", self.port);
        let answer = reqwest::Client::new()
            .get(url)
            .send()
            .await
            .expect("the server answers");
        let bytes = answer.bytes().await.expect("a whole answer");
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|nanos| Duration::from_nanos(u64::from_le_bytes(*nanos)).as_secs_f64())
            .collect()
    }
}
