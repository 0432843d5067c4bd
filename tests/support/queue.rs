//! A service with a queue in front, whose capacity is known exactly. In virtual time, a request that comes at
//! t is served at max(t, free). This moves `free` on by 1/capacity. The answer comes the service time later.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, extract::State, http::StatusCode};
use tokio::task::JoinHandle;

/// Time from the moment a request is served to its answer.
const SERVICE_TIME: Duration = Duration::from_millis(20);
/// A request that would wait longer than this is refused.
const LONGEST: Duration = Duration::from_secs(3);

/// Answers until dropped.
pub struct Queue {
    address: SocketAddr,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Line {
    /// Capacity in requests per second.
    capacity: f64,
    free: Arc<Mutex<Instant>>,
}

impl Queue {
    /// With a capacity in requests per second.
    pub async fn start(capacity: f64) -> Self {
        super::turn::wait_to_load();
        let line = Line {
            capacity,
            free: Arc::new(Mutex::new(Instant::now())),
        };
        let app = Router::new().fallback(answer).with_state(line);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { address, server }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(line): State<Line>) -> StatusCode {
    let turn = {
        let mut free = line.free.lock().expect("nobody panics with it");
        let turn = (*free).max(Instant::now());
        if turn.saturating_duration_since(Instant::now()) > LONGEST {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        *free = turn + Duration::from_secs_f64(1.0 / line.capacity);
        turn
    };
    tokio::time::sleep_until((turn + SERVICE_TIME).into()).await;
    StatusCode::OK
}
