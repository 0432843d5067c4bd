//! One request from its bytes to its answer: who, may they, what, read.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use hyper::{Request, body::Incoming};
use rustls::pki_types::{CertificateDer, UnixTime};

use super::{
    authn::{CurrentTrust, User},
    authz::{Action, Authorizer},
    discovery::Discovery,
    external_discovery,
    listener::Service,
    path::{self, RootScopedPath, Route, Selectors},
    payload,
    reads::{Memory, Now},
    status_error::StatusError,
    telemetry::Telemetry,
};
use crate::clock::Clock;

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
    /// Its values.
    pub memory: Memory,
    /// Whether the server is ready, or what is missing.
    pub ready: crate::telemetry::http::Check,
    /// Counts requests.
    pub telemetry: Arc<Telemetry>,
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
        let route = match path::route(path)? {
            route if route.is_external() && !self.memory.external_metrics => Route::Unknown,
            route => route,
        };
        let action = match &route {
            Route::Metric(metric) => Action::read(metric),
            Route::Namespace(metric) => Action::read_namespace(metric),
            Route::External(metric) => Action::read_external(metric),
            Route::Groups
            | Route::Group
            | Route::Resources(_)
            | Route::ExternalGroup
            | Route::ExternalResources => Action::GetPath(path.to_owned()),
            // No review is spent on what can have no other answer: anybody could make up paths without end.
            Route::RootScoped(_) | Route::Unknown => return Err(unknown(&user, path, &route)),
        };
        self.authorizer.authorize(&user, action).await?;
        if request.method() != Method::GET {
            return Err(StatusError::method_not_allowed("metrics can only be read"));
        }
        match route {
            Route::Groups => Ok(json(self.discovery.groups())),
            Route::Group => Ok(json(self.discovery.group())),
            Route::Resources(version) => Ok(json(self.discovery.resources(version))),
            Route::ExternalGroup => Ok(json(external_discovery::group())),
            Route::ExternalResources => Ok(json(external_discovery::resources())),
            Route::Metric(metric) => {
                let (selectors, now) = self.asked(request)?;
                let values = self.memory.read(&metric, &selectors, now)?;
                Ok(json(payload::render(metric.version, &values)))
            }
            Route::Namespace(metric) => {
                let (selectors, now) = self.asked(request)?;
                let value = self.memory.read_namespace(&metric, &selectors, now)?;
                Ok(json(payload::render(metric.version, &[value])))
            }
            Route::External(metric) => {
                let (selectors, now) = self.asked(request)?;
                let value = self.memory.read_external(&metric, &selectors, now)?;
                Ok(json(payload::render_external(&value)))
            }
            Route::RootScoped(_) | Route::Unknown => Err(unknown(&user, path, &route)),
        }
    }

    /// The selectors of a read, and when it is answered.
    fn asked(&self, request: &Request<Incoming>) -> Result<(Selectors, Now), StatusError> {
        let selectors = path::selectors(request.uri().query().unwrap_or_default())?;
        let now = Now {
            wall: self.clock.now(),
            monotonic: self.clock.monotonic(),
        };
        Ok((selectors, now))
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

/// The answer to a path that leads nowhere. Who did not say who they are is not told what there is.
fn unknown(user: &User, path: &str, route: &Route) -> StatusError {
    if user.is_anonymous() {
        return StatusError::forbidden(format!("user {:?} cannot get path {path:?}", user.name));
    }
    StatusError::not_found(match route {
        Route::RootScoped(RootScopedPath {
            resource,
            name,
            metric,
        }) => format!(
            "the server could not find the metric {metric} for {resource} {name}; metrics describe pods, scale targets and namespaces"
        ),
        _ => format!("the server could not find the requested resource {path}"),
    })
}

fn json(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
        for path in ["/x", "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load"] {
            let route = path::route(path).unwrap();
            assert_eq!(unknown(&user("somebody"), path, &route).code(), 404);
            assert_eq!(unknown(&user("system:anonymous"), path, &route).code(), 403);
        }
    }

    #[test]
    fn no_metric_of_ours_describes_an_object_outside_namespaces() {
        let path = "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load";
        let user = User {
            name: "somebody".to_owned(),
            ..User::default()
        };
        let error = unknown(&user, path, &path::route(path).unwrap());
        assert_eq!(error.code(), 404);
        assert_eq!(
            error.to_string(),
            "the server could not find the metric load for nodes n; metrics describe pods, scale targets and namespaces"
        );
    }
}
