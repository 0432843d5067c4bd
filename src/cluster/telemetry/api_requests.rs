//! Counts the requests to the API server, in the client itself: no caller can forget it.
//!
//! A request whose answer nobody waits for any more, such as one that took too long, counts as one without an answer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use hyper::{Request, Response};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family},
    registry::Registry,
};
use tower::{Layer, Service};
use vas_core::monitoring::{api_request::verb, families::Family};

use super::families::register;

/// The code of a request without an answer.
const NONE: &str = "none";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    verb: &'static str,
    code: String,
}

/// The counts of a client. A clone counts into the same; a client that is built with it as a layer is counted.
#[derive(Clone, Debug, Default)]
pub struct ApiRequests(family::Family<Labels, Counter>);

impl ApiRequests {
    /// Shows the counts as this family, whose labels are `verb` and `code`.
    pub fn register(&self, registry: &mut Registry, family: Family) {
        register(registry, family, self.0.clone());
    }

    fn count(&self, verb: &'static str, code: String) {
        self.0.get_or_create_owned(&Labels { verb, code }).inc();
    }
}

impl<S> Layer<S> for ApiRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted {
            inner,
            counts: self.clone(),
        }
    }
}

/// A service whose requests are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    inner: S,
    counts: ApiRequests,
}

impl<S, B, A> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let uri = request.uri();
        let mut sent = Sent {
            verb: verb(
                request.method().as_str(),
                uri.path(),
                uri.query().unwrap_or_default(),
            ),
            code: None,
            counts: self.counts.clone(),
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            sent.answered(answer.as_ref().ok());
            answer
        })
    }
}

/// A request that was sent. It is counted when it is dropped, so that one that nobody waits for is counted too.
struct Sent {
    verb: &'static str,
    code: Option<u16>,
    counts: ApiRequests,
}

impl Sent {
    fn answered<A>(&mut self, answer: Option<&Response<A>>) {
        self.code = answer.map(|answer| answer.status().as_u16());
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let code = self.code.map_or_else(|| NONE.to_owned(), |code| code.to_string());
        self.counts.count(self.verb, code);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{Router, http::StatusCode, routing::get};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{Api, Client};
    use prometheus_client::encoding::text::encode;
    use vas_core::monitoring::families::operator::API_REQUESTS;

    use super::*;

    #[tokio::test]
    async fn requests_are_counted_by_verb_and_code_also_those_that_nobody_waits_for() {
        let server = Router::new()
            .route(
                "/api/v1/namespaces/ns/configmaps/late",
                get(async || std::future::pending::<StatusCode>().await),
            )
            .fallback(async || (StatusCode::NOT_FOUND, "{}"));
        let counts = ApiRequests::default();
        let client = Client::new(counts.layer(server), "default");
        let api: Api<ConfigMap> = Api::namespaced(client, "ns");
        for _ in 0..2 {
            assert!(api.get("absent").await.is_err());
        }
        assert!(api.list(&kube::api::ListParams::default()).await.is_err());
        let late = tokio::time::timeout(Duration::from_millis(10), api.get("late")).await;
        assert!(late.is_err());
        let mut registry = Registry::default();
        counts.register(&mut registry, API_REQUESTS);
        // Kube's client hands requests to a task of its own, which learns a moment later that nobody waits.
        let counted = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let mut text = String::new();
                encode(&mut text, &registry).unwrap();
                if text.contains(r#"verb="get",code="none"} 1"#) {
                    return text;
                }
                tokio::task::yield_now().await;
            }
        });
        let text = counted.await.expect("the late request is counted");
        for series in [r#"verb="get",code="404"} 2"#, r#"verb="list",code="404"} 1"#] {
            assert!(text.contains(series), "{text}");
        }
    }
}
