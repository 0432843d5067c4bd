//! One request from its bytes to its answer: who, may they, what, read.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use hyper::{Request, body::Incoming};
use rustls::pki_types::CertificateDer;

use super::{
    authenticator::Authenticator,
    authn::User,
    authz::{Action, Authorizer},
    discovery::Discovery,
    listener::Service,
    path::{self, Route},
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
    /// Who asks.
    pub authenticator: Authenticator,
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
        let user = self.authenticator.authenticate(chain, request.headers()).await?;
        let route = path::route(path)?;
        let action = match &route {
            Route::Metric(metric) => Action::read(metric),
            Route::Groups | Route::Group | Route::Resources(_) => Action::GetPath(path.to_owned()),
            // No review is spent on what can have no other answer: anybody could make up paths without end.
            Route::Unknown => return Err(unknown(&user, path)),
        };
        self.authorizer.authorize(&user, action).await?;
        if request.method() != Method::GET {
            return Err(StatusError::method_not_allowed("metrics can only be read"));
        }
        match route {
            Route::Groups => Ok(json(self.discovery.groups())),
            Route::Group => Ok(json(self.discovery.group())),
            Route::Resources(version) => Ok(json(self.discovery.resources(version))),
            Route::Metric(metric) => {
                let selectors = path::selectors(request.uri().query().unwrap_or_default())?;
                let now = Now {
                    wall: self.clock.now(),
                    monotonic: self.clock.monotonic(),
                };
                let values = self.memory.read(&metric, &selectors, now)?;
                Ok(json(payload::render(metric.version, &values)))
            }
            Route::Unknown => Err(unknown(&user, path)),
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
        assert_eq!(unknown(&user("somebody"), "/x").code(), 404);
        assert_eq!(unknown(&user("system:anonymous"), "/x").code(), 403);
    }
}
