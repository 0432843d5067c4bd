//! Answers one request: authentication, authorization, path, read.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use hyper::{Request, body::Incoming};
use tokio::sync::watch;

use crate::{
    auth::{
        authenticator::Authenticator,
        authn::User,
        authz::{Action, Authorizer},
    },
    documents::{Documents, cached::JSON},
    fallback::{Adapter, Fallbacks, Read},
    metrics::{
        path::{self, RootScopedPath, Route, Selectors},
        payload,
        reads::{Memory, Now},
    },
    serving::listener::{Peer, Service},
    status_error::StatusError,
    telemetry::Telemetry,
};
use vas_cluster::{clock::Clock, telemetry::http::Check};
use vas_core::metrics::registration::MetricsApi;

/// Paths that the kubelet requests without credentials.
const HEALTH: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// Answers every request of the secure port.
pub(crate) struct Router {
    /// Finds out which user sent a request.
    pub authenticator: Authenticator,
    /// Decides what a user may do.
    pub authorizer: Authorizer,
    /// Answers discovery, OpenAPI and other requests that read no metric.
    pub documents: Documents,
    /// Holds the values of metrics.
    pub memory: Memory,
    /// The adapters for reads that no resource describes.
    pub fallbacks: Fallbacks,
    /// Whether all resources were listed.
    pub scalings_synced: watch::Receiver<bool>,
    /// Passes if the server is ready, or says what is missing.
    pub ready: Check,
    /// Counts requests for `/metrics`.
    pub telemetry: Arc<Telemetry>,
    /// Gives the time of reads.
    pub clock: Arc<dyn Clock>,
}

impl Service for Router {
    async fn serve(&self, request: Request<Incoming>, peer: &Peer) -> Response {
        let started = self.clock.monotonic();
        let response = match self.answer(&request, peer).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        let taken = self.clock.monotonic().saturating_sub(started);
        let code = response.status().as_u16();
        self.telemetry.answered(code, taken);
        if let Some(api) = read_of(request.uri().path()) {
            self.telemetry.read(api, code);
        }
        response
    }
}

impl Router {
    async fn answer(&self, request: &Request<Incoming>, peer: &Peer) -> Result<Response, StatusError> {
        let path = request.uri().path();
        if HEALTH.contains(&path) {
            only_reads(request)?;
            return Ok(self.health(path));
        }
        let user = self
            .authenticator
            .authenticate(peer.chain(), request.headers())
            .await?;
        if !user.is_anonymous() {
            peer.mark_authenticated();
        }
        let route = match path::route(path)? {
            route if route.is_external() && !self.memory.external_metrics => Route::Unknown,
            route => route,
        };
        let action = match &route {
            Route::Metric(metric) => Action::read(metric),
            Route::Namespace(metric) => Action::read_namespace(metric),
            Route::External(metric) => Action::read_external(metric),
            Route::RootScoped(metric) if self.fallbacks.of(MetricsApi::Custom).is_some() => {
                Action::read_root_scoped(metric)
            }
            // No review is sent for a path that exists for nobody: a client could make up paths without end.
            Route::RootScoped(_) | Route::Unknown => return Err(unknown(&user, path, &route)),
            _ => Action::GetPath(path.to_owned()),
        };
        // Authorization comes before everything that depends on metrics, so that a user without rights does
        // not learn which ones exist.
        self.authorizer.authorize(&user, action).await?;
        only_reads(request)?;
        let query = request.uri().query().unwrap_or_default();
        let selectors = path::selectors(query)?;
        if let Some((adapter, read)) = self.handed_on(&route, &selectors)? {
            return Ok(json(adapter.read(&read).await?));
        }
        let now = Now {
            wall: self.clock.now(),
            monotonic: self.clock.monotonic(),
        };
        match &route {
            Route::Metric(metric) => {
                let values = self.memory.read(metric, &selectors, now)?;
                Ok(json(payload::render(metric.version, &values)))
            }
            Route::Namespace(metric) => {
                let value = self.memory.read_namespace(metric, &selectors, now)?;
                Ok(json(payload::render(metric.version, &[value])))
            }
            Route::External(metric) => {
                let value = self.memory.read_external(metric, &selectors, now)?;
                Ok(json(payload::render_external(&value)))
            }
            document => self
                .documents
                .answer(document, query, request.headers())
                .await
                .ok_or_else(|| unknown(&user, path, &route)),
        }
    }

    /// The adapter that a read is handed on to; `None` if the read is answered here. What a resource of the
    /// namespace describes by name is answered here, also if it is missing or ambiguous: an adapter that
    /// serves the same name would otherwise scale the workload by another number.
    fn handed_on(
        &self,
        route: &Route,
        selectors: &Selectors,
    ) -> Result<Option<(&Adapter, Read)>, StatusError> {
        let (api, described) = match route {
            Route::Metric(path) => (MetricsApi::Custom, Some((&path.namespace, &path.metric))),
            Route::Namespace(path) => (MetricsApi::Custom, Some((&path.namespace, &path.metric))),
            Route::RootScoped(_) => (MetricsApi::Custom, None),
            Route::External(path) => (MetricsApi::External, Some((&path.namespace, &path.metric))),
            _ => return Ok(None),
        };
        let Some(adapter) = self.fallbacks.of(api) else {
            return Ok(None);
        };
        if !*self.scalings_synced.borrow() {
            return Err(StatusError::unavailable(
                "the VoiceAssistScalings are not listed yet, so it is not known whether one of them describes this metric",
            ));
        }
        if described.is_some_and(|(namespace, name)| self.memory.registry.describes(api, namespace, name)) {
            return Ok(None);
        }
        let read = Read::of(route, selectors)?;
        Ok(read.map(|read| (adapter, read)))
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

/// The API of a read of a metric, told by its path; `None` for discovery and all else.
fn read_of(path: &str) -> Option<MetricsApi> {
    let (group, rest) = path.strip_prefix("/apis/")?.split_once('/')?;
    let api = MetricsApi::ALL.into_iter().find(|api| api.group() == group)?;
    rest.contains("/namespaces/").then_some(api)
}

/// Refuses every method but GET. Kubernetes clients never send HEAD, and Kubernetes' own resources refuse it
/// too.
fn only_reads<B>(request: &Request<B>) -> Result<(), StatusError> {
    if request.method() == Method::GET {
        Ok(())
    } else {
        Err(StatusError::method_not_allowed(
            "metrics can only be read, with GET",
        ))
    }
}

/// The answer to a path that does not exist. An anonymous user gets 403, and so does not learn which paths
/// exist.
fn unknown(user: &User, path: &str, route: &Route) -> StatusError {
    if user.is_anonymous() {
        return StatusError::forbidden(format!("user {:?} cannot get path {path:?}", user.name));
    }
    StatusError::not_found(match route {
        Route::RootScoped(RootScopedPath {
            resource,
            name,
            metric,
            ..
        }) => format!(
            "the server could not find the metric {metric} for {resource} {name}; metrics describe pods, scale targets and namespaces"
        ),
        _ => format!("the server could not find the requested resource {path}"),
    })
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
        for path in ["/x", "/apis/custom.metrics.k8s.io/v1beta2/nodes/n/load"] {
            let route = path::route(path).unwrap();
            assert_eq!(unknown(&user("somebody"), path, &route).code(), 404);
            assert_eq!(unknown(&user("system:anonymous"), path, &route).code(), 403);
        }
    }

    #[test]
    fn a_read_is_told_from_discovery() {
        let custom = "/apis/custom.metrics.k8s.io/v1beta2";
        assert_eq!(read_of(custom), None);
        assert_eq!(read_of("/apis/apps/v1/namespaces/ns/deployments"), None);
        let read = format!("{custom}/namespaces/ns/pods/*/rate");
        assert_eq!(read_of(&read), Some(MetricsApi::Custom));
        let external = "/apis/external.metrics.k8s.io/v1beta1/namespaces/ns/depth";
        assert_eq!(read_of(external), Some(MetricsApi::External));
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
