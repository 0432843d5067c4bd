//! Reads and writes the Lease, and converts it to and from a [`Record`].
//!
//! The Lease is read in each round and not watched: every write needs the latest version, and a watch that lags
//! behind would make this candidate lose against others.

use std::{fmt, time::Duration};

use jiff::{Timestamp, Unit};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, api::PostParams};

use super::{FenceError, tenure::Record};
use vas_api::FIELD_MANAGER;

/// Why a round of the election failed. The next round tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum LeaseError {
    #[error("could not read it: {0}")]
    Read(#[source] kube::Error),
    #[error("could not write it: {0}")]
    Write(#[source] kube::Error),
    #[error("another candidate was faster")]
    Outrun,
    #[error("the API server did not answer within {0:?}")]
    Timeout(Duration),
    #[error(transparent)]
    Fenced(FenceError),
}

/// The client of the one Lease that the election uses.
pub(super) struct LeaseApi {
    api: Api<Lease>,
    namespace: String,
    name: String,
}

impl LeaseApi {
    pub(super) fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(super) async fn read(&self) -> Result<Option<Lease>, LeaseError> {
        self.api.get_opt(&self.name).await.map_err(LeaseError::Read)
    }

    pub(super) async fn create(&self, record: &Record) -> Result<(), LeaseError> {
        let lease = Lease {
            metadata: ObjectMeta {
                namespace: Some(self.namespace.clone()),
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(spec(record)),
        };
        written(self.api.create(&params(), &lease).await)
    }

    /// Replaces `lease`. Its resourceVersion makes the server refuse the write (409) if the Lease has changed
    /// since it was read.
    pub(super) async fn replace(&self, mut lease: Lease, record: &Record) -> Result<(), LeaseError> {
        lease.spec = Some(spec(record));
        written(self.api.replace(&self.name, &params(), &lease).await)
    }
}

impl fmt::Display for LeaseApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

fn written(result: Result<Lease, kube::Error>) -> Result<(), LeaseError> {
    match result {
        Ok(_) => Ok(()),
        // 409 means AlreadyExists on create and Conflict on replace: another candidate wrote first.
        Err(kube::Error::Api(status)) if status.code == 409 => Err(LeaseError::Outrun),
        Err(error) => Err(LeaseError::Write(error)),
    }
}

/// The content of a Lease. Missing fields read as a lease that nobody holds.
pub(super) fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.unwrap_or_default();
    Record {
        holder: spec.holder_identity.unwrap_or_default(),
        lease_duration: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        acquired: spec.acquire_time.map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        renewed: spec.renew_time.map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        transitions: spec.lease_transitions.unwrap_or_default(),
    }
}

fn spec(record: &Record) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(record.holder.clone()),
        lease_duration_seconds: Some(i32::try_from(record.lease_duration.as_secs()).unwrap_or(i32::MAX)),
        acquire_time: Some(micro(record.acquired)),
        renew_time: Some(micro(record.renewed)),
        lease_transitions: Some(record.transitions),
        ..LeaseSpec::default()
    }
}

/// Rounds to microseconds, the precision of the API.
fn micro(time: Timestamp) -> MicroTime {
    MicroTime(time.round(Unit::Microsecond).unwrap_or(time))
}
