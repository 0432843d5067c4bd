//! Stands in for kube-proxy in front of the replicas of a Service, because no node of the test cluster runs
//! it.
//!
//! Like a Service: a connection goes to one ready replica, in turn, and stays there until its end. A replica
//! whose readiness fails gets no new connections. The connections of a replica that dies are lost. Unlike a
//! Service: a replica that refuses a connection is skipped at once, while a Service goes on choosing it for
//! about a second, until its endpoint is removed.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Time between two readiness checks.
const READINESS_PERIOD: Duration = Duration::from_millis(500);

/// The ports of a replica.
#[derive(Debug)]
struct Backend {
    port: u16,
    metrics_port: u16,
    ready: AtomicBool,
}

/// Balances connections until it is dropped.
#[derive(Debug)]
pub struct Balancer {
    pub port: u16,
    backends: Arc<Mutex<Vec<Arc<Backend>>>>,
    /// They end with it.
    _tasks: JoinSet<()>,
}

impl Balancer {
    /// Starts without replicas. Connections are refused until there is one.
    pub async fn start() -> Self {
        let port = super::process::free_port();
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await;
        let listener = listener.expect("a free port");
        let backends = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(balance(listener, Arc::clone(&backends)));
        tasks.spawn(probe(Arc::clone(&backends)));
        Self {
            port,
            backends,
            _tasks: tasks,
        }
    }

    /// Adds a replica. It gets connections once it is ready.
    pub fn add(&self, port: u16, metrics_port: u16) {
        let backend = Backend {
            port,
            metrics_port,
            ready: AtomicBool::new(false),
        };
        locked(&self.backends).push(Arc::new(backend));
    }

    /// How many replicas are ready.
    pub fn ready(&self) -> usize {
        let backends = locked(&self.backends);
        backends
            .iter()
            .filter(|backend| backend.ready.load(Ordering::Relaxed))
            .count()
    }
}

type Backends = Arc<Mutex<Vec<Arc<Backend>>>>;

fn locked(backends: &Mutex<Vec<Arc<Backend>>>) -> std::sync::MutexGuard<'_, Vec<Arc<Backend>>> {
    backends.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn probe(backends: Backends) {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build();
    let http = http.expect("a client");
    loop {
        let all = locked(&backends).clone();
        for backend in all {
            let url = format!("http://127.0.0.1:{}/readyz", backend.metrics_port);
            let ready = http.get(url).send().await;
            let ready = ready.is_ok_and(|answer| answer.status().is_success());
            backend.ready.store(ready, Ordering::Relaxed);
        }
        tokio::time::sleep(READINESS_PERIOD).await;
    }
}

async fn balance(listener: TcpListener, backends: Backends) {
    let next = AtomicUsize::new(0);
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let ready: Vec<u16> = locked(&backends)
            .iter()
            .filter(|backend| backend.ready.load(Ordering::Relaxed))
            .map(|backend| backend.port)
            .collect();
        let start = next.fetch_add(1, Ordering::Relaxed);
        connections.spawn(async move {
            for number in 0..ready.len() {
                let port = ready[(start + number) % ready.len()];
                if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                    let _ = client.set_nodelay(true);
                    let _ = server.set_nodelay(true);
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                    return;
                }
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
