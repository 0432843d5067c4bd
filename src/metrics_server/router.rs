//! One request from its bytes to its answer: who, may they, what, read.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use hyper::{Request, body::Incoming};
use prometheus_client::registry::Registry as MetricsRegistry;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::{
    authn::{CurrentTrust, User},
    authz::{Action, Authorizer},
    discovery::Discovery,
    document::{Document, JSON},
    listener::Service,
    openapi::OpenApi,
    path::{self, Route},
    payload,
    reads::{Memory, Now},
    served::Served,
    status_error::StatusError,
    telemetry::Telemetry,
};
use crate::{
    api::CUSTOM_METRICS_GROUP,
    clock::Clock,
    telemetry::{self, http::Check},
};

/// Paths that kubelets ask without credentials.
const HEALTH: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// Answers every request of the secure port.
pub struct Router {
    /// Whom to trust.
    pub trust: Arc<CurrentTrust>,
    /// Who may do what.
    pub authorizer: Authorizer,
    /// What is served.
    pub discovery: Discovery,
    /// What it looks like.
    pub openapi: OpenApi,
    /// Which build this is.
    pub version: Document,
    /// Its values.
    pub memory: Memory,
    /// Whether the server is ready, or what is missing.
    pub ready: Check,
    /// Counts requests.
    pub telemetry: Arc<Telemetry>,
    /// What is counted, for `/metrics`.
    pub registry: Arc<MetricsRegistry>,
    /// Dates reads.
    pub clock: Arc<dyn Clock>,
}

impl Service for Router {
    async fn serve(&self, request: Request<Incoming>, chain: &[CertificateDer<'static>]) -> Response {
        let started = self.clock.monotonic();
        let response = match self.answer(&request, chain).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        let taken = self.clock.monotonic().saturating_sub(started);
        self.telemetry.answered(response.status().as_u16(), taken);
        response
    }
}

impl Router {
    async fn answer(
        &self,
        request: &Request<Incoming>,
        chain: &[CertificateDer<'static>],
    ) -> Result<Response, StatusError> {
        let path = request.uri().path();
        if HEALTH.contains(&path) {
            only_reads(request)?;
            return Ok(self.health(path));
        }
        let trust = self
            .trust
            .get()
            .ok_or_else(|| StatusError::unavailable("whom to trust is not read yet"))?;
        let now = UnixTime::since_unix_epoch(self.clock.now().as_duration().unsigned_abs());
        let user = trust
            .authenticate(chain, request.headers(), now)
            .map_err(|error| StatusError::unauthorized(error.to_string()))?;
        let route = path::route(path)?;
        let action = match &route {
            Route::Metric(metric) => Action::read(metric),
            Route::Groups
            | Route::Group
            | Route::Resources(_)
            | Route::OpenApiV2
            | Route::OpenApiV3
            | Route::OpenApiV3Version(_)
            | Route::BuildVersion
            | Route::OwnMetrics => Action::GetPath(path.to_owned()),
            // No review is spent on what can have no other answer: anybody could make up paths without end.
            Route::Unknown => return Err(unknown(&user, path)),
        };
        self.authorizer.authorize(&user, action).await?;
        only_reads(request)?;
        let query = request.uri().query().unwrap_or_default();
        let selectors = path::selectors(query)?;
        let missing = || unknown(&user, path);
        let served = |document: Option<&Document>| {
            document
                .map(|document| document.answer(request.headers()))
                .ok_or_else(missing)
        };
        match route {
            Route::Groups => Ok(self.discovery.groups(request.headers())),
            Route::Group => served(self.discovery.group(CUSTOM_METRICS_GROUP)),
            Route::Resources(version) => served(self.discovery.resources(Served::Custom(version))),
            Route::OpenApiV2 => served(Some(self.openapi.v2())),
            Route::OpenApiV3 => served(Some(self.openapi.v3())),
            Route::OpenApiV3Version(version) => self
                .openapi
                .version(&version, query, request.headers())
                .ok_or_else(missing),
            Route::BuildVersion => served(Some(&self.version)),
            Route::OwnMetrics => Ok(telemetry::http::metrics(&self.registry)),
            Route::Metric(metric) => {
                let now = Now {
                    wall: self.clock.now(),
                    monotonic: self.clock.monotonic(),
                };
                let values = self.memory.read(&metric, &selectors, now)?;
                Ok(json(payload::render(metric.version, &values)))
            }
            Route::Unknown => Err(missing()),
        }
    }

    fn health(&self, path: &str) -> Response {
        let checked = if path == "/readyz" { (self.ready)() } else { Ok(()) };
        let mut response = Response::new(Body::from(match &checked {
            Ok(()) => "ok".to_owned(),
            Err(missing) => missing.clone(),
        }));
        if checked.is_err() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }
}

/// Everything here is read with GET. HEAD is none of what Kubernetes clients send, and Kubernetes' own resources refuse
/// it too.
fn only_reads<B>(request: &Request<B>) -> Result<(), StatusError> {
    if request.method() == Method::GET {
        Ok(())
    } else {
        Err(StatusError::method_not_allowed(
            "metrics can only be read, with GET",
        ))
    }
}

/// The answer to a path that leads nowhere. Who did not say who they are is not told what there is.
fn unknown(user: &User, path: &str) -> StatusError {
    if user.is_anonymous() {
        StatusError::forbidden(format!("user {:?} cannot get path {path:?}", user.name))
    } else {
        StatusError::not_found(format!("the server could not find the requested resource {path}"))
    }
}

fn json(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_path_is_not_found_except_by_the_anonymous() {
        let user = |name: &str| User {
            name: name.to_owned(),
            ..User::default()
        };
        assert_eq!(unknown(&user("somebody"), "/x").code(), 404);
        assert_eq!(unknown(&user("system:anonymous"), "/x").code(), 403);
    }
}
