//! The certificate that all servers share, and its CA, as files.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A certificate for all servers, in files, and its CA.
pub struct Certificate {
    /// The directory, with the file names that KEDA wants: `ca.crt`, `tls.crt` and `tls.key`.
    pub dir: PathBuf,
    pub chain: PathBuf,
    pub key: PathBuf,
    pub ca: String,
}

impl Certificate {
    /// Issues a certificate for these names into a new directory in `dir`. It does not restrict its usage, so
    /// clients may show it too.
    pub fn issue(dir: &Path, names: Vec<String>) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).expect("a CA");
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(names)
            .and_then(|params| params.signed_by(&key, &issuer))
            .expect("a certificate");
        let dir = dir.join("certificate");
        let files = Self {
            chain: dir.join("tls.crt"),
            key: dir.join("tls.key"),
            ca: ca.pem(),
            dir,
        };
        std::fs::create_dir_all(&files.dir).expect("a folder for the certificate");
        for (path, pem) in [
            (&files.chain, certificate.pem()),
            (&files.key, key.serialize_pem()),
            (&files.dir.join("ca.crt"), files.ca.clone()),
        ] {
            std::fs::write(path, pem).expect("the certificate can be written");
        }
        files
    }
}
