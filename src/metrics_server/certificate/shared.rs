//! The loop that keeps this replica serving with the certificate that all replicas share, keeps the API
//! server trusting it, and keeps the rotation going. Every replica runs the loop: each write succeeds only on
//! the version that was read.
//!
//! The loop syncs every few seconds, because the state may change outside of this replica: another replica
//! goes on with the rotation, or somebody empties the Secret or replaces the APIServices. Replicas that
//! served different certificates under one `caBundle` would break each other.

use std::{sync::Arc, time::Duration};

use kube::Client;

use super::{
    api_services::ApiServices,
    ca_bundle::{self, CaBundles},
    issue::{IssueError, issue, names},
    rotation::{Settled, Shared, Step, Times},
    secret::{SECRET, SecretError, ServiceName, SharedSecret},
};
use crate::{certificate::key_pair::KeyPairError, serving::tls::ServingCertificate, telemetry::Telemetry};
use vas_cluster::clock::Clock;

/// Shortest time between two syncs, also after an error.
const PAUSE: Duration = Duration::from_secs(1);
/// After [`PAUSE`], longest time until the next sync unless an APIService changes.
const PERIOD: Duration = Duration::from_secs(4);
/// After a longer gap between two syncs a change may have gone unseen, so that waiting starts anew.
const PATIENCE: Duration = Duration::from_secs(20);

/// The inputs of the loop.
pub(crate) struct CertificateRotator {
    /// Client for the Secret and the APIServices.
    pub client: Client,
    /// The Service whose names stand in the certificate.
    pub service: ServiceName,
    /// Validity of certificates and durations of the rotation.
    pub times: Times,
    /// Gives the time for certificates and for the rotation.
    pub clock: Arc<dyn Clock>,
    /// The certificate that this replica serves with.
    pub certificate: Arc<ServingCertificate>,
    /// The last seen APIServices: which Service each leads to, and which CAs it trusts.
    pub api_services: Arc<ApiServices>,
    /// Reports until when the certificate is valid.
    pub telemetry: Arc<Telemetry>,
}

/// Why a sync failed.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error("the shared certificate is not usable: {0}; empty Secret {SECRET}")]
    Unusable(#[from] KeyPairError),
}

/// What is remembered from one sync to the next.
struct SyncState {
    held: Option<Shared>,
    settled: Settled<Shared>,
    ca_bundles: CaBundles,
}

impl CertificateRotator {
    /// Syncs for ever.
    pub(crate) async fn run(self) {
        let secret = SharedSecret::new(self.client.clone(), &self.service);
        let mut state = SyncState {
            held: None,
            settled: Settled::new(PATIENCE),
            ca_bundles: CaBundles::new(self.client.clone()),
        };
        let mut changes = self.api_services.subscribe();
        loop {
            if let Err(error) = self.sync(&secret, &mut state).await {
                tracing::warn!(%error, "the shared certificate could not be looked after; trying again");
            }
            tokio::time::sleep(PAUSE).await;
            // This replica owns the sender, so the channel does not close; a timeout is the normal case.
            let _ = tokio::time::timeout(PERIOD, changes.changed()).await;
        }
    }

    async fn sync(&self, secret: &SharedSecret, state: &mut SyncState) -> Result<(), SyncError> {
        // The APIServices are taken before the Secret is read: see `CaBundles::write`.
        let api_services = self.api_services.subscribe().borrow().clone();
        let begun = self.clock.monotonic();
        let read = secret.read().await?;
        // A state of the Secret settles only while every APIService trusts its CAs.
        let trusted = |shared: &&Shared| ca_bundle::is_trusted(&api_services, &shared.trusted);
        let settled = state.settled.observe(
            read.shared.as_ref().filter(trusted).cloned(),
            self.clock.monotonic(),
        );
        let mut shared = read.shared.clone();
        if let Some((next, what)) = self.next(read.shared.as_ref(), state.held.as_ref(), settled)? {
            // Another replica wrote first: the next sync reads what it wrote.
            if !secret.write(read, &next).await? {
                return Ok(());
            }
            tracing::info!(secret = SECRET, what, "wrote the shared certificate");
            shared = Some(next);
        }
        let Some(shared) = shared else { return Ok(()) };
        // This process may have been stopped since it read the Secret. Other replicas may have rotated
        // meanwhile, so what was read is not used.
        if self.clock.monotonic().saturating_sub(begun) > PATIENCE {
            return Ok(());
        }
        if state.held.as_ref() != Some(&shared) {
            let serving = &shared.serving;
            let before = state.held.as_ref().map(|held| &held.serving);
            if before != Some(serving) {
                self.certificate
                    .set(serving.certificate.as_bytes(), serving.key.as_bytes())?;
                self.telemetry.serving_until(self.certificate.valid_until());
                tracing::info!("serving with the shared certificate");
            }
            state.held = Some(shared.clone());
        }
        // The CAs are written last: an API server never trusts a CA before its certificate is served or
        // announced.
        state.ca_bundles.write(&api_services, &shared.trusted).await;
        Ok(())
    }

    /// What the Secret should hold instead of `found`, and the reason for the log; `None` if it stays.
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
                // The Secret lost its certificate, or holds one that is not usable. Write back the copy of
                // this replica, if that one still serves: clients trust its CA already.
                match held.filter(|held| held.serves(name, now)) {
                    Some(held) => (held.clone(), "had lost the certificate; put it back"),
                    None => (Shared::first(new()?), "issued a CA and a serving certificate"),
                }
            }
        };
        Ok(Some(next))
    }
}
