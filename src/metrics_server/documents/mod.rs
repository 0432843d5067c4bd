//! Answers everything that is not a metric: discovery, OpenAPI, the version, and this process' own metrics.

pub(crate) mod cached;
mod discovery;
mod openapi;
mod served;
mod version;

use std::sync::Arc;

use axum::{http::HeaderMap, response::Response};

use self::{cached::Document, discovery::Discovery, openapi::OpenApi, served::Served};
use crate::metrics::path::Route;
use vas_api::{CUSTOM_METRICS_GROUP, EXTERNAL_METRICS_GROUP};
use vas_cluster::telemetry::scrapes::Scrapes;

/// The documents. They are rendered once, except for the metrics of this process.
pub(crate) struct Documents {
    discovery: Discovery,
    openapi: OpenApi,
    version: Document,
    metrics: Arc<Scrapes>,
}

impl Documents {
    /// Renders the documents. `external` says whether external.metrics.k8s.io is served; `metrics` are
    /// those of this process, with the bound that all its ports share.
    pub(crate) fn new(external: bool, metrics: Arc<Scrapes>) -> Self {
        Self {
            discovery: Discovery::new(external),
            openapi: OpenApi::new(external),
            version: version::document(),
            metrics,
        }
    }

    /// The answer to a route; `None` if it is a metric or is not served.
    pub(crate) async fn answer(&self, route: &Route, query: &str, request: &HeaderMap) -> Option<Response> {
        let document = match route {
            Route::Groups => return Some(self.discovery.groups(request)),
            Route::OpenApiV3Version(version) => return self.openapi.version(version, query, request),
            Route::OwnMetrics => return Some(self.metrics.answer(request.clone()).await),
            Route::Group => self.discovery.group(CUSTOM_METRICS_GROUP)?,
            Route::ExternalGroup => self.discovery.group(EXTERNAL_METRICS_GROUP)?,
            Route::Resources(version) => self.discovery.resources(Served::Custom(*version))?,
            Route::ExternalResources => self.discovery.resources(Served::External)?,
            Route::OpenApiV2 => self.openapi.v2(),
            Route::OpenApiV3 => self.openapi.v3(),
            Route::BuildVersion => &self.version,
            Route::Metric(_)
            | Route::Namespace(_)
            | Route::RootScoped(_)
            | Route::External(_)
            | Route::Unknown => return None,
        };
        Some(document.answer(request))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use axum::http::StatusCode;
    use futures::{StreamExt, stream::FuturesUnordered};
    use parking_lot::Mutex;
    use prometheus_client::registry::Registry;
    use tokio::time::timeout;
    use vas_cluster::telemetry::exposed::Exposed;

    use super::*;

    #[tokio::test]
    async fn scrapes_of_the_secure_port_are_bounded_and_hold_up_no_read() {
        let (holding, until) = mpsc::channel::<()>();
        let until = Mutex::new(until);
        let exposed = Exposed {
            objects: Arc::new(move || {
                let _ = until.lock().recv();
                Vec::new()
            }),
            ..Exposed::process(Registry::default())
        };
        let documents = Documents::new(true, Arc::new(Scrapes::new(exposed)));
        let (query, request) = ("", HeaderMap::new());
        let scrape = || documents.answer(&Route::OwnMetrics, query, &request);
        let mut under_way: FuturesUnordered<_> = (0..9).map(|_| scrape()).collect();
        // The runtime has one thread, and metrics that cannot be read leave it free.
        for _ in 0..5 {
            let refused = timeout(Duration::from_secs(10), under_way.next()).await;
            let refused = refused.expect("five of nine are refused at once").flatten();
            assert_eq!(refused.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
        }
        let groups = documents.answer(&Route::Groups, query, &request).await;
        assert_eq!(groups.unwrap().status(), StatusCode::OK);
        drop(holding);
        while let Some(answered) = under_way.next().await {
            assert_eq!(answered.unwrap().status(), StatusCode::OK);
        }
    }
}
