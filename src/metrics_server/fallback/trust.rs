//! The HTTP client for adapters, which trusts the CA certificates in `--fallback-ca-file` and no others.
//!
//! The file is read every few seconds, like the serving certificate, because the CA of an adapter rotates.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use reqwest::{Client, redirect::Policy};

use crate::reread;
use vas_core::wording::innermost;
use vas_prometheus::ca_certificates;

/// Largest file of CA certificates, in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// A file of CA certificates whose content at the start was usable.
#[derive(Clone, Debug)]
pub struct CaFile {
    path: PathBuf,
    first: Vec<u8>,
    /// The client that trusts the first content.
    client: Client,
}

/// Why a file of CA certificates is not usable.
#[derive(Debug, thiserror::Error)]
pub enum CaFileError {
    /// The file cannot be read.
    #[error("--fallback-ca-file: cannot read {path}: {source}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is too large to hold CA certificates.
    #[error("--fallback-ca-file: {path} is larger than {MAX_SIZE} bytes")]
    Large {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file holds no certificates.
    #[error("--fallback-ca-file: {path} holds no usable CA certificates in PEM: {problem}")]
    Unusable {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with the content.
        problem: String,
    },
}

impl CaFile {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// See [`CaFileError`].
    pub fn open(path: &Path) -> Result<Self, CaFileError> {
        let first = read(path)?;
        Ok(Self {
            client: client(path, &first)?,
            path: path.to_owned(),
            first,
        })
    }
}

/// The client that trusts what the file holds now.
pub(crate) struct Trust {
    file: CaFile,
    client: ArcSwap<Client>,
}

impl Trust {
    /// Trusts the first content of the file.
    pub(crate) fn new(file: CaFile) -> Self {
        Self {
            client: ArcSwap::from_pointee(file.client.clone()),
            file,
        }
    }

    /// The client as of now.
    pub(super) fn client(&self) -> Arc<Client> {
        self.client.load_full()
    }

    /// Trusts each later content of the file, for ever.
    pub(crate) async fn follow(&self) {
        let mut seen = Ok(self.file.first.clone());
        let path = self.file.path.clone();
        let take = |content: Result<Vec<u8>, CaFileError>| {
            let content = content.map_err(|error| error.to_string());
            if content == seen {
                return;
            }
            let replaced = content
                .clone()
                .and_then(|pem| client(&self.file.path, &pem).map_err(|error| error.to_string()));
            match replaced {
                Ok(client) => {
                    tracing::info!("--fallback-ca-file changed and is trusted");
                    self.client.store(Arc::new(client));
                }
                Err(problem) => tracing::error!(problem, "what was trusted before stays"),
            }
            seen = content;
        };
        reread::forever(move || read(&path), take).await;
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CaFileError> {
    use std::io::Read as _;
    let failed = |source| CaFileError::Read {
        path: path.to_owned(),
        source,
    };
    let mut content = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_SIZE + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > MAX_SIZE {
        return Err(CaFileError::Large {
            path: path.to_owned(),
        });
    }
    Ok(content)
}

/// A client without redirects and proxies. Time limits are set for each read.
fn client(path: &Path, pem: &[u8]) -> Result<Client, CaFileError> {
    let unusable = |problem: String| CaFileError::Unusable {
        path: path.to_owned(),
        problem,
    };
    let certificates = ca_certificates(pem).map_err(unusable)?;
    Client::builder()
        .user_agent(concat!("vas/", env!("CARGO_PKG_VERSION")))
        .https_only(true)
        .no_proxy()
        .redirect(Policy::none())
        .tls_certs_only(certificates)
        .build()
        .map_err(|error| unusable(innermost(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_at_the_start() {
        let refused = |name: &str, content: &[u8]| {
            let path = std::env::temp_dir().join(format!("vas-{}-{name}", std::process::id()));
            std::fs::write(&path, content).unwrap();
            let error = CaFile::open(&path).unwrap_err().to_string();
            std::fs::remove_file(&path).unwrap();
            error
        };
        assert!(refused("empty", b"").contains("no CERTIFICATE block"));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(refused("broken", broken).contains("no usable CA certificates"));
        let large = vec![b'#'; usize::try_from(MAX_SIZE).unwrap() + 1];
        assert!(refused("large", &large).contains("larger than"));
        let missing = CaFile::open(Path::new("/nonexistent/ca.crt"))
            .unwrap_err()
            .to_string();
        assert!(
            missing.starts_with("--fallback-ca-file: cannot read /nonexistent/ca.crt"),
            "{missing}"
        );
    }
}
