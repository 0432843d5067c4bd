//! Keeps this replica serving with the certificate that all replicas share, and the API server trusting it.
//!
//! Looked at again and again: another replica may have renewed it, somebody may have emptied the Secret or
//! replaced the APIServices. Replicas that held on to different ones would take turns in breaking each other.

use std::time::Duration;

use kube::Client;

use super::{
    api_services::ApiServices,
    certificate::Bundle,
    secret::{ServiceName, shared_bundle},
    telemetry::Telemetry,
    tls::ServingCertificate,
};
use crate::clock::Clock;

/// Time between looks.
const PERIOD: Duration = Duration::from_secs(5);

/// Runs for ever.
pub async fn keep(
    client: Client,
    service: &ServiceName,
    clock: &dyn Clock,
    certificate: &ServingCertificate,
    telemetry: &Telemetry,
) {
    let mut api_services = ApiServices::new(client.clone());
    let mut held: Option<Bundle> = None;
    loop {
        let bundle = shared_bundle(client.clone(), service, clock, held.as_ref()).await;
        let serving = if held.as_ref() == Some(&bundle) {
            Ok(())
        } else {
            certificate
                .set(bundle.certificate.as_bytes(), bundle.key.as_bytes())
                .inspect(|()| tracing::info!("serving with the shared certificate"))
        };
        // Nobody is told to trust a CA whose certificate we do not serve with.
        match serving {
            Ok(()) => {
                api_services.make_trust(service, &bundle.ca, telemetry).await;
                held = Some(bundle);
            }
            Err(error) => tracing::error!(%error, "the shared certificate is not usable; empty its Secret"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}
