//! Keeps this replica serving with the certificate that all replicas share, the API server trusting it, and the
//! rotation going. Every replica does all of it: each write is made only to what was read.
//!
//! Looked at again and again: another replica may have gone on with the rotation, somebody may have emptied the
//! Secret or replaced the APIServices. Replicas that held on to different certificates would break each other.

use std::{sync::Arc, time::Duration};

use kube::Client;

use super::{
    api_services::ApiServices,
    ca_bundle::{self, CaBundles},
    issue::{IssueError, issue, names},
    rotation::{Settled, Shared, Step, Times},
    secret::{SECRET, SecretError, ServiceName, SharedSecret},
};
use crate::{
    cluster::clock::Clock,
    metrics_server::{
        serving::tls::{KeyPairError, ServingCertificate},
        telemetry::Telemetry,
    },
};

/// Shortest time between looks, also after an error.
const PAUSE: Duration = Duration::from_secs(1);
/// After that, longest time to the next look unless an APIService changes.
const PERIOD: Duration = Duration::from_secs(4);
/// Looks that are further apart than this may have missed something.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it needs.
pub struct Keeper {
    /// For the Secret and the APIServices.
    pub client: Client,
    /// The Service that the certificate is for.
    pub service: ServiceName,
    /// How long certificates last.
    pub times: Times,
    /// Dates certificates and times the rotation.
    pub clock: Arc<dyn Clock>,
    /// What this replica serves with.
    pub certificate: Arc<ServingCertificate>,
    /// Whom the APIServices lead to and trust.
    pub api_services: Arc<ApiServices>,
    /// Says until when the certificate is valid.
    pub telemetry: Arc<Telemetry>,
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error("the shared certificate is not usable: {0}; empty Secret {SECRET}")]
    Unusable(#[from] KeyPairError),
}

/// What is remembered from look to look.
struct Memory {
    held: Option<Shared>,
    settled: Settled<Shared>,
    ca_bundles: CaBundles,
}

impl Keeper {
    /// Runs for ever.
    pub async fn run(self) {
        let secret = SharedSecret::new(self.client.clone(), &self.service);
        let mut memory = Memory {
            held: None,
            settled: Settled::new(PATIENCE),
            ca_bundles: CaBundles::new(self.client.clone()),
        };
        let mut changes = self.api_services.subscribe();
        loop {
            if let Err(error) = self.look(&secret, &mut memory).await {
                tracing::warn!(%error, "the shared certificate could not be looked after; trying again");
            }
            tokio::time::sleep(PAUSE).await;
            // The sender is ours, so it does not end.
            let _ = tokio::time::timeout(PERIOD, changes.changed()).await;
        }
    }

    async fn look(&self, secret: &SharedSecret, memory: &mut Memory) -> Result<(), LookError> {
        // Before the Secret: see `CaBundles::write`.
        let api_services = self.api_services.subscribe().borrow().clone();
        let begun = self.clock.monotonic();
        let read = secret.read().await?;
        let trusted = |shared: &&Shared| ca_bundle::is_trusted(&api_services, &shared.trusted);
        let settled = memory.settled.look(
            read.shared.as_ref().filter(trusted).cloned(),
            self.clock.monotonic(),
        );
        let mut shared = read.shared.clone();
        if let Some((next, what)) = self.next(read.shared.as_ref(), memory.held.as_ref(), settled)? {
            // Another replica was faster: the next look reads what it wrote.
            if !secret.write(read, &next).await? {
                return Ok(());
            }
            tracing::info!(secret = SECRET, what, "wrote the shared certificate");
            shared = Some(next);
        }
        let Some(shared) = shared else { return Ok(()) };
        // A process that was stopped meanwhile must not go on with what it read before: others may have rotated.
        if self.clock.monotonic().saturating_sub(begun) > PATIENCE {
            return Ok(());
        }
        if memory.held.as_ref() != Some(&shared) {
            let serving = &shared.serving;
            let before = memory.held.as_ref().map(|held| &held.serving);
            if before != Some(serving) {
                self.certificate
                    .set(serving.certificate.as_bytes(), serving.key.as_bytes())?;
                self.telemetry.serving_until(self.certificate.valid_until());
                tracing::info!("serving with the shared certificate");
            }
            memory.held = Some(shared.clone());
        }
        // Nobody is told to trust a CA before its certificate is served, or announced.
        memory.ca_bundles.write(&api_services, &shared.trusted).await;
        Ok(())
    }

    /// What the Secret should hold, if not what it does, and why.
    fn next(
        &self,
        found: Option<&Shared>,
        held: Option<&Shared>,
        settled: Duration,
    ) -> Result<Option<(Shared, &'static str)>, IssueError> {
        let now = self.clock.now();
        let names = names(&self.service.name, &self.service.namespace);
        let name = names.first().map_or("", String::as_str);
        let new = || issue(&names, now, self.times.validity());
        let step = found.map_or(Step::Replace, |found| found.step(name, &self.times, now, settled));
        let next = match (step, found) {
            (Step::Stay, _) => return Ok(None),
            (Step::Announce, Some(found)) => (
                found.announced(new()?, name, now),
                "announced a new CA; its certificate is served once it is trusted",
            ),
            (Step::Switch, Some(found)) => (found.switched(), "switched to the certificate of the new CA"),
            (Step::Drop, Some(found)) => (
                found.without_unused(name, now),
                "dropped the old CA: nobody serves by it any more",
            ),
            (Step::Replace | Step::Announce | Step::Switch | Step::Drop, _) => {
                match held.filter(|held| held.serves(name, now)) {
                    Some(held) => (held.clone(), "had lost the certificate; put it back"),
                    None => (Shared::first(new()?), "issued a CA and a serving certificate"),
                }
            }
        };
        Ok(Some(next))
    }
}
