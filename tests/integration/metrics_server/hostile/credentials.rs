//! Clients that claim to be somebody else.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, date_time_ymd,
};
use reqwest::{Client, Identity, StatusCode};

use super::{super::access::client_with, Target, target};

const PATH: &str = "/apis/custom.metrics.k8s.io/v1beta2";

/// A client certificate for a member of `system:masters`, not yet signed.
fn admin(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "system:masters");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn signed(params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) -> Identity {
    let key = KeyPair::generate().unwrap();
    let pem = params.signed_by(&key, issuer).unwrap().pem() + &key.serialize_pem();
    Identity::from_pem(pem.as_bytes()).unwrap()
}

/// A CA of the cluster: `ca` signs clients, and `front-proxy-ca` signs the front proxy.
fn cluster_ca(target: &Target, ca: &str) -> Issuer<'static, KeyPair> {
    let pki = target.stack.cluster.dir().join("pki");
    let read = |name: &str| std::fs::read_to_string(pki.join(name)).expect("a file of the cluster");
    let key = KeyPair::from_pem(&read(&format!("{ca}.key"))).unwrap();
    Issuer::from_ca_cert_pem(&read(&format!("{ca}.crt")), key).unwrap()
}

/// A CA that nobody trusts, with the name of a real one.
fn foreign_ca(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn ask(target: &Target, client: &Client) -> (StatusCode, String) {
    let answer = client
        .get(target.url(PATH))
        .header("X-Remote-User", "admin")
        .header("X-Remote-Group", "system:masters")
        .header("X-Remote-Extra-scopes", "all")
        .header("X-Remote-Uid", "0")
        .send()
        .await
        .expect("an answer");
    (answer.status(), answer.text().await.unwrap_or_default())
}

#[tokio::test]
async fn forged_identity_headers_count_for_nothing_without_a_certificate_and_with_the_wrong_one() {
    let target = target().await;
    let cluster = target.stack.cluster;
    let (status, body) = ask(target, &client_with(cluster, target.port, None)).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    assert!(body.contains("system:anonymous"), "{body}");
    // The front proxy's name and an administrator's groups, signed by a CA that only has the right name.
    for ca in ["cluster front-proxy-ca", "cluster ca"] {
        let forged = signed(&admin("front-proxy-client"), &foreign_ca(ca));
        let (status, body) = ask(target, &client_with(cluster, target.port, Some(forged))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
    }
    // The front proxy's CA signs several names, but only the one that kube-apiserver allows is accepted.
    let front_proxy_ca = cluster_ca(target, "front-proxy-ca");
    for (name, expected) in [
        ("front-proxy-client", StatusCode::OK),
        ("somebody", StatusCode::UNAUTHORIZED),
    ] {
        let issued = signed(&admin(name), &front_proxy_ca);
        let (status, body) = ask(target, &client_with(cluster, target.port, Some(issued))).await;
        assert_eq!(status, expected, "{name}: {body}");
    }
    // A certificate from the CA for clients is a client of that name, and no front proxy.
    let mut params = admin("front-proxy-client");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "front-proxy-client");
    let client = client_with(
        cluster,
        target.port,
        Some(signed(&params, &cluster_ca(target, "ca"))),
    );
    let metric = target.url(&format!("{PATH}/namespaces/default/pods/*/rate"));
    let answer = client
        .get(metric)
        .header("X-Remote-User", "admin")
        .header("X-Remote-Group", "system:masters");
    let answer = answer.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let body = answer.text().await.unwrap_or_default();
    assert!(body.contains("front-proxy-client"), "{body}");
}

#[tokio::test]
async fn a_certificate_of_the_right_ca_that_has_expired_is_refused() {
    let target = target().await;
    let (cluster, ca) = (target.stack.cluster, cluster_ca(target, "ca"));
    let valid = client_with(cluster, target.port, Some(signed(&admin("somebody"), &ca)));
    let (status, body) = ask(target, &valid).await;
    assert_eq!(status, StatusCode::OK, "valid, it would be believed: {body}");
    let mut params = admin("somebody");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let expired = client_with(cluster, target.port, Some(signed(&params, &ca)));
    let (status, body) = ask(target, &expired).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{body}");
}
