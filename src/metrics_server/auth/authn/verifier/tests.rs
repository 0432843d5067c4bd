use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rustls::{
    DigitallySignedStruct, DistinguishedName, SignatureScheme, client::danger::HandshakeSignatureValid,
    server::danger::ClientCertVerified,
};

use super::*;

/// Takes one certificate as valid until a given second, and counts how often it is called.
#[derive(Debug)]
struct Counting {
    good: CertificateDer<'static>,
    until: u64,
    asked: AtomicUsize,
}

impl ClientCertVerifier for Counting {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if *certificate == self.good && now.as_secs() < self.until {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(Error::General("not ours".to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unreachable!("only certificates are verified here")
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        unreachable!("only certificates are verified here")
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        Vec::new()
    }
}

fn certificate(name: &str) -> CertificateDer<'static> {
    name.as_bytes().to_vec().into()
}

fn at(second: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(second))
}

fn verifier() -> (Verifier, Arc<Counting>) {
    let cas = Arc::new(Counting {
        good: certificate("good"),
        until: 11,
        asked: AtomicUsize::new(0),
    });
    (Verifier::new(cas.clone()), cas)
}

#[test]
fn a_chain_is_checked_once_a_second_and_refused_in_the_second_in_which_it_expires() {
    let (verifier, cas) = verifier();
    for _ in 0..100 {
        assert!(verifier.verify(&certificate("good"), &[], at(10)).is_ok());
    }
    assert_eq!(cas.asked.load(Ordering::Relaxed), 1);
    assert!(verifier.verify(&certificate("good"), &[], at(11)).is_err());
    assert!(verifier.verify(&certificate("good"), &[], at(10)).is_ok());
}

#[test]
fn what_held_for_one_chain_says_nothing_of_another() {
    let (verifier, cas) = verifier();
    let good = certificate("good");
    assert!(verifier.verify(&good, &[], at(10)).is_ok());
    assert!(verifier.verify(&certificate("bad"), &[], at(10)).is_err());
    assert!(
        verifier
            .verify(&certificate("bad"), std::slice::from_ref(&good), at(10))
            .is_err()
    );
    // The same certificate with other intermediates is another chain.
    assert!(verifier.verify(&good, &[certificate("bad")], at(10)).is_ok());
    assert_eq!(cas.asked.load(Ordering::Relaxed), 4);
}

#[test]
fn a_refusal_is_not_remembered() {
    let (verifier, cas) = verifier();
    for _ in 0..3 {
        assert!(verifier.verify(&certificate("bad"), &[], at(10)).is_err());
    }
    assert_eq!(cas.asked.load(Ordering::Relaxed), 3);
}
