//! Serving certificate and key from files that somebody else renews, such as cert-manager.
//!
//! The two files never change at the same moment, so a pair that does not match may be half written: the server
//! then keeps the pair before.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    certificate::key_pair::{KeyPairError, certified_key},
    reread,
    serving::tls::ServingCertificate,
    telemetry::Telemetry,
};

/// The content of both files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    chain: Vec<u8>,
    key: Vec<u8>,
}

/// Paths of a certificate chain and its key, both PEM, whose content at the start was usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    chain: PathBuf,
    key: PathBuf,
    first: Content,
}

/// Why the files are not usable.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The path of that file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The files hold no certificate and key that belong together.
    #[error("--tls-cert-file, --tls-private-key-file: {0}")]
    Unusable(#[from] KeyPairError),
}

impl CertificateFiles {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// When a file cannot be read, or the pair is not usable.
    pub fn open(chain: &Path, key: &Path) -> Result<Self, FilesError> {
        let first = Content::read(chain, key)?;
        certified_key(&first.chain, &first.key)?;
        Ok(Self {
            chain: chain.to_owned(),
            key: key.to_owned(),
            first,
        })
    }

    /// Serves with the content of the files, and with each later content, for ever.
    pub async fn follow(self, certificate: Arc<ServingCertificate>, telemetry: Arc<Telemetry>) {
        let mut reloading = Reloading {
            certificate,
            telemetry,
            seen: None,
        };
        reloading.take(Ok(self.first.clone()));
        let read = move || Content::read(&self.chain, &self.key);
        reread::forever(read, |read| reloading.take(read)).await;
    }
}

impl Content {
    fn read(chain: &Path, key: &Path) -> Result<Self, FilesError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| FilesError::Read {
                path: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            chain: read(chain)?,
            key: read(key)?,
        })
    }
}

/// The content that was read last, usable or not, so that each content is tried and logged once.
struct Reloading {
    certificate: Arc<ServingCertificate>,
    telemetry: Arc<Telemetry>,
    seen: Option<Result<Content, String>>,
}

impl Reloading {
    fn take(&mut self, read: Result<Content, FilesError>) {
        let read = read.map_err(|error| error.to_string());
        if self.seen.as_ref() == Some(&read) {
            return;
        }
        let served = match &read {
            Ok(content) => self
                .certificate
                .set(&content.chain, &content.key)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        match served {
            Ok(()) => {
                tracing::info!("serving with the certificate of --tls-cert-file");
                self.telemetry.serving_until(self.certificate.valid_until());
            }
            Err(error) => {
                tracing::error!(
                    error,
                    "the certificate files changed and are not usable; what was served before stays"
                );
                self.telemetry.certificate_reload_failed();
            }
        }
        self.seen = Some(read);
    }
}

#[cfg(test)]
mod tests;
