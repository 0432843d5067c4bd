//! What is counted and logged of each request: one line, with its trace, its route, and what it asked of PostgreSQL.

use std::{cell::RefCell, fmt, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};

use super::{
    quantiles::Quantiles,
    trace_context::{HEADER, TraceContext},
};
use crate::{
    clock,
    database::{REQUEST, RequestProfile},
};

/// Bounds of response times, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

/// The route of requests that no route takes: their paths are a caller's, and would be a label without bound.
const NONE: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Metrics of requests.
#[derive(Debug)]
pub struct RequestMetrics {
    answers: Family<Answer, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    queries: Family<Route, Counter>,
    database_time: Family<Route, Histogram, fn() -> Histogram>,
    quantiles: Quantiles,
}

impl RequestMetrics {
    /// Metrics that `registry` exports.
    pub fn register(registry: &mut Registry) -> Arc<Self> {
        let histograms = || Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let metrics = Arc::new(Self {
            answers: Family::default(),
            durations: histograms(),
            queries: Family::default(),
            database_time: histograms(),
            quantiles: Quantiles::new(clock::now()),
        });
        registry.register(
            "voiceassist_http_requests",
            "Answered requests by method, route and status",
            metrics.answers.clone(),
        );
        registry.register(
            "voiceassist_http_request_duration_seconds",
            "Time from the head of a request to the head of its answer, by route",
            metrics.durations.clone(),
        );
        registry.register(
            "voiceassist_endpoint_query_count",
            "Queries that requests of a route sent",
            metrics.queries.clone(),
        );
        registry.register(
            "voiceassist_endpoint_database_time_seconds",
            "Time of PostgreSQL in one request, by route",
            metrics.database_time.clone(),
        );
        registry.register_collector(Box::new(QuantileCollector(Arc::clone(&metrics))));
        metrics
    }

    /// One of the quantiles of the last minutes, in seconds.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        self.quantiles.get(quantile, clock::now())
    }
}

/// Counts and logs the request. A middleware of all routes.
pub async fn observe(State(metrics): State<Arc<RequestMetrics>>, request: Request, next: Next) -> Response {
    let began = clock::now();
    let trace = TraceContext::from_headers(request.headers());
    let method = method(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NONE, MatchedPath::as_str)
        .to_owned();
    let (mut response, profile) = REQUEST
        .scope(RefCell::default(), async {
            let response = next.run(request).await;
            (response, REQUEST.with(RefCell::take))
        })
        .await;
    let time = began.elapsed();
    let code = response.status().as_u16();
    let by_route = Route { route: route.clone() };
    metrics
        .durations
        .get_or_create(&by_route)
        .observe(time.as_secs_f64());
    metrics.quantiles.add(time, began);
    let RequestProfile {
        queries,
        time: in_database,
        ..
    } = &profile;
    metrics
        .queries
        .get_or_create(&by_route)
        .inc_by(u64::from(*queries));
    metrics
        .database_time
        .get_or_create(&by_route)
        .observe(in_database.as_secs_f64());
    tracing::info!(
        trace = trace.trace,
        method,
        route,
        code,
        milliseconds = time.as_secs_f64() * 1e3,
        queries,
        database_milliseconds = in_database.as_secs_f64() * 1e3,
        "request"
    );
    metrics
        .answers
        .get_or_create(&Answer { method, route, code })
        .inc();
    if let Some(header) = trace.header() {
        response.headers_mut().insert(HEADER, header);
    }
    response
}

/// The method as a label: a caller may invent methods.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[derive(Debug)]
struct QuantileCollector(Arc<RequestMetrics>);

impl Collector for QuantileCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            let Some(seconds) = self.0.quantile(quantile) else {
                continue;
            };
            let gauge = ConstGauge::new(seconds);
            let name = format!("voiceassist_response_time_{name}_seconds");
            let help =
                "Response time of this process in the last minutes; quantiles of pods cannot be added up";
            gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
