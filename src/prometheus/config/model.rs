//! What a configuration file says, checked: every server with its settings and with the names of its files.

use std::{path::PathBuf, time::Duration};

use crate::Limits;
use vas_core::metrics::promql::Source;

/// One server of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServerEntry {
    /// Path of the entry in the document, for problems.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_certificate: Option<ClientCertificate>,
    pub(super) authorization: Option<Authorization>,
    pub(super) headers: Vec<Header>,
    pub(super) limits: Limits,
    pub(super) poll_interval: Duration,
    pub(super) source: Source,
}

/// The files of a client certificate and of its private key, in PEM.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClientCertificate {
    pub(super) cert_file: PathBuf,
    pub(super) key_file: PathBuf,
}

/// The credentials of each query.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Authorization {
    BearerToken {
        file: PathBuf,
    },
    Basic {
        username: String,
        password_file: PathBuf,
    },
}

/// A header of each query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// Path of the header in the document, for problems.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) value: HeaderValue,
}

/// Where the value of a header stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum HeaderValue {
    Written(String),
    InFile(PathBuf),
}
