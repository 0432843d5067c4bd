//! Answers everything that is not a metric: discovery, OpenAPI, the version, and this process' own metrics.

pub(crate) mod cached;
mod discovery;
mod openapi;
mod served;
mod version;

use std::sync::Arc;

use axum::{http::HeaderMap, response::Response};
use prometheus_client::registry::Registry;

use self::{cached::Document, discovery::Discovery, openapi::OpenApi, served::Served};
use crate::metrics::path::Route;
use vas_api::{CUSTOM_METRICS_GROUP, EXTERNAL_METRICS_GROUP};
use vas_cluster::telemetry::http;

/// The documents. They are rendered once, except for the metrics of this process.
pub(crate) struct Documents {
    discovery: Discovery,
    openapi: OpenApi,
    version: Document,
    registry: Arc<Registry>,
}

impl Documents {
    /// Renders the documents. `external` says whether external.metrics.k8s.io is served; `registry` holds the
    /// metrics of this process.
    pub(crate) fn new(external: bool, registry: Arc<Registry>) -> Self {
        Self {
            discovery: Discovery::new(external),
            openapi: OpenApi::new(external),
            version: version::document(),
            registry,
        }
    }

    /// The answer to a route; `None` if it is a metric or is not served.
    pub(crate) fn answer(&self, route: &Route, query: &str, request: &HeaderMap) -> Option<Response> {
        let document = match route {
            Route::Groups => return Some(self.discovery.groups(request)),
            Route::OpenApiV3Version(version) => return self.openapi.version(version, query, request),
            Route::OwnMetrics => return Some(http::metrics(&self.registry)),
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
