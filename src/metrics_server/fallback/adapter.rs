//! Sends a read to one adapter, with bounds on time, size and number.

use std::{sync::Arc, time::Duration};

use axum::body::Bytes;
use parking_lot::Mutex;
use reqwest::{
    Response,
    header::{ACCEPT, AUTHORIZATION, HeaderValue},
};
use tokio::sync::Semaphore;

use super::{
    account::Account,
    address::AdapterAddress,
    answer,
    circuit::{Circuit, Ending},
    read::Read,
    trust::Trust,
};
use crate::{in_flight::InFlight, status_error::StatusError, telemetry::Telemetry};
use vas_cluster::clock::Clock;
use vas_core::{metrics::registration::MetricsApi, wording::innermost};

/// Longest time from the request to the last byte of the answer, the wait for a place included.
const TIME_LIMIT: Duration = Duration::from_secs(3);
/// Largest answer, in bytes. A list of 7,000 pods has about 2 MiB.
const MAX_SIZE: usize = 4 << 20;
/// Most reads in flight at once. Their answers take at most 64 MiB.
const MAX_IN_FLIGHT: usize = 16;
/// Most reads of one namespace in flight at once.
const MAX_OF_NAMESPACE: usize = 4;

/// One adapter.
pub(crate) struct Adapter {
    /// The API group that is handed on to it.
    api: MetricsApi,
    address: AdapterAddress,
    account: Arc<Account>,
    trust: Arc<Trust>,
    circuit: Mutex<Circuit>,
    of_namespace: InFlight<String>,
    in_all: Semaphore,
    clock: Arc<dyn Clock>,
    telemetry: Arc<Telemetry>,
}

/// Why a read brought no answer.
enum Failure {
    /// There is no token to send.
    NoToken(Arc<str>),
    Unreachable(String),
    TooLarge,
}

impl Adapter {
    /// An adapter of which nothing is known yet.
    pub(super) fn new(
        api: MetricsApi,
        address: AdapterAddress,
        (account, trust): (Arc<Account>, Arc<Trust>),
        clock: Arc<dyn Clock>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self {
            api,
            address,
            account,
            trust,
            circuit: Mutex::default(),
            of_namespace: InFlight::new(MAX_OF_NAMESPACE),
            in_all: Semaphore::new(MAX_IN_FLIGHT),
            clock,
            telemetry,
        }
    }

    /// The adapter's answer to a read, as the body of a 200 answer.
    ///
    /// # Errors
    /// What the adapter answered instead of a list, 429 if the namespace has too many reads in flight, 503 if
    /// the adapter gives no answer, or gave none shortly before.
    pub(crate) async fn read(&self, read: &Read) -> Result<Bytes, StatusError> {
        let answered = self.bounded(read).await;
        let code = answered.as_ref().map_or_else(StatusError::code, |_| 200);
        self.telemetry.handed_on(self.api, code);
        answered
    }

    async fn bounded(&self, read: &Read) -> Result<Bytes, StatusError> {
        let namespace = read.of_namespace();
        let user = self.account.user();
        let said = answer::Adapter {
            api: self.api,
            address: &self.address,
            account: &user,
        };
        let _of_namespace = self.of_namespace.enter(&namespace.to_owned()).ok_or_else(|| {
            StatusError::too_many_requests(format!(
                "{MAX_OF_NAMESPACE} reads of namespace {namespace:?} wait for {} already",
                self.address
            ))
        })?;
        self.circuit
            .lock()
            .enter(namespace, self.clock.monotonic())
            .map_err(|why| said.failed(&format!("{why} (asked again within 10 s)")))?;
        let sent = tokio::time::timeout(TIME_LIMIT, self.send(read)).await;
        let (ending, answered) = match sent {
            Ok(Ok((status, body))) => (Some(Ending::Answered), said.judge(status, body)),
            Ok(Err(Failure::TooLarge)) => (
                Some(Ending::Answered),
                Err(said.failed(&format!("its answer is larger than {MAX_SIZE} bytes"))),
            ),
            Ok(Err(Failure::NoToken(why))) => (None, Err(said.failed(&why))),
            Ok(Err(Failure::Unreachable(why))) => {
                let error = said.failed(&why);
                (Some(Ending::Unreachable(why.into())), Err(error))
            }
            Err(_) => {
                let why = format!("no answer within {} s", TIME_LIMIT.as_secs());
                let error = said.failed(&why);
                (Some(Ending::Late(why.into())), Err(error))
            }
        };
        if let Some(ending) = ending {
            self.ended(namespace, ending);
        }
        answered
    }

    async fn send(&self, read: &Read) -> Result<(reqwest::StatusCode, Bytes), Failure> {
        // The semaphore is never closed.
        let _place = self.in_all.acquire().await.ok();
        let token = self.account.header().map_err(Failure::NoToken)?;
        let unreachable = |error: reqwest::Error| Failure::Unreachable(innermost(&error));
        let response = self
            .trust
            .client()
            .get(self.address.url(read.path_and_query()))
            .header(AUTHORIZATION, token)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        if status == reqwest::StatusCode::UNAUTHORIZED {
            self.account.refused();
        }
        Ok((status, body(response).await?))
    }

    fn ended(&self, namespace: &str, ending: Ending) {
        let now = self.clock.monotonic();
        let changed = self.circuit.lock().ended(namespace, ending.clone(), now);
        if !changed {
            return;
        }
        let (adapter, group) = (self.address.to_string(), self.api.group());
        match ending {
            Ending::Answered => tracing::info!(adapter, group, "the adapter answers again"),
            Ending::Unreachable(why) | Ending::Late(why) => {
                tracing::warn!(adapter, group, %why, "reads that no resource describes have no answer");
            }
        }
    }
}

/// The whole body, up to the limit.
async fn body(mut response: Response) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| Failure::Unreachable(innermost(&error)))?
    {
        if body.len() + chunk.len() > MAX_SIZE {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}
