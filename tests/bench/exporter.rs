//! The series of simulated workloads, for Prometheus to scrape.

use std::{fmt::Write as _, ops::Range, time::Instant};

use axum::{Router, routing::get};

use crate::workload::{PODS, Workload};

/// Requests per second of each pod.
const RATE: f64 = 100.0;

/// Serves `/metrics` for these workloads until the process is killed. Counters grow with time.
pub(crate) async fn serve(port: u16, workloads: Range<usize>) {
    let start = Instant::now();
    let app = Router::new().route(
        "/metrics",
        get(move || std::future::ready(render(workloads.clone(), start.elapsed().as_secs_f64()))),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("a free port");
    axum::serve(listener, app).await.expect("the exporter serves");
}

fn render(workloads: Range<usize>, seconds: f64) -> String {
    let mut text = String::new();
    for workload in workloads.map(Workload) {
        let namespace = workload.namespace();
        for pod in 0..PODS {
            let (name, requests) = (workload.pod(pod), seconds * RATE);
            let _ = writeln!(
                text,
                "bench_requests_total{{namespace=\"{namespace}\",pod=\"{name}\"}} {requests}"
            );
        }
        let depth = workload.0 % 90 + 10;
        let _ = writeln!(
            text,
            "bench_queue_depth{{namespace=\"{namespace}\",deployment=\"api\"}} {depth}"
        );
    }
    text
}
