use axum::http::{HeaderName, HeaderValue};
use rcgen::{DnValue, ExtendedKeyUsagePurpose, string::BmpString};

use super::{testing::Pki, *};

fn trust(front_proxy: &Pki, clients: &Pki, allowed_names: &str) -> Trust {
    let data = [
        ("client-ca-file", clients.pem()),
        ("requestheader-client-ca-file", front_proxy.pem()),
        ("requestheader-allowed-names", allowed_names.to_owned()),
        (
            "requestheader-username-headers",
            r#"["X-Remote-User"]"#.to_owned(),
        ),
        ("requestheader-group-headers", r#"["X-Remote-Group"]"#.to_owned()),
        (
            "requestheader-extra-headers-prefix",
            r#"["X-Remote-Extra-"]"#.to_owned(),
        ),
    ];
    Trust::parse(
        &data
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
    .unwrap()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn claims() -> HeaderMap {
    headers(&[
        ("X-Remote-User", "alice"),
        ("X-Remote-Group", "dev"),
        ("X-Remote-Group", "ops"),
        ("X-Remote-Extra-Scopes%2fx", "read"),
        ("X-Remote-Uid", "7"),
    ])
}

fn who(trust: &Trust, chain: &[CertificateDer<'_>], headers: &HeaderMap) -> Result<User, Untrusted> {
    let known = trust.authenticate(chain, headers, UnixTime::now())?;
    Ok(known.unwrap_or_else(anonymous))
}

#[test]
fn the_front_proxy_is_believed() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, r#"["front-proxy-client"]"#);
    let user = who(&trust, &[proxies.client("front-proxy-client", &[])], &claims()).unwrap();
    assert_eq!(user.name, "alice");
    assert_eq!(user.groups, ["dev", "ops", "system:authenticated"]);
    assert_eq!(
        user.extra,
        BTreeMap::from([("scopes/x".to_owned(), vec!["read".to_owned()])])
    );
    assert_eq!(user.uid, None, "the ConfigMap names no header for it");
}

#[test]
fn identity_headers_without_the_front_proxys_certificate_are_ignored() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, r#"["front-proxy-client"]"#);
    assert_eq!(who(&trust, &[], &claims()).unwrap().name, "system:anonymous");
    let bob = clients.client("bob", &["dev"]);
    let user = who(&trust, &[bob], &claims()).unwrap();
    assert_eq!(
        (user.name.as_str(), user.groups.as_slice()),
        ("bob", &["dev", "system:authenticated"].map(str::to_owned)[..])
    );
    // The right name from the wrong CA, and the wrong name from the right CA.
    assert_eq!(
        who(&trust, &[clients.client("front-proxy-client", &[])], &claims())
            .unwrap()
            .name,
        "front-proxy-client"
    );
    assert!(who(&trust, &[proxies.client("mallory", &[])], &claims()).is_err());
}

#[test]
fn an_empty_list_of_names_allows_any() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, "[]");
    assert_eq!(
        who(&trust, &[proxies.client("whoever", &[])], &claims())
            .unwrap()
            .name,
        "alice"
    );
}

#[test]
fn certificates_of_others_and_those_not_made_for_clients_are_refused() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, r#"["front-proxy-client"]"#);
    let stranger = Pki::new("client-ca").client("admin", &["system:masters"]);
    assert!(who(&trust, &[stranger], &claims()).is_err());
    let server = clients.issue("admin", &[], ExtendedKeyUsagePurpose::ServerAuth);
    assert!(who(&trust, &[server], &HeaderMap::new()).is_err());
}

#[test]
fn an_expired_certificate_is_refused() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, "[]");
    let bob = [clients.client("bob", &[])];
    let year_5000 = UnixTime::since_unix_epoch(std::time::Duration::from_secs(95_617_584_000));
    assert!(trust.authenticate(&bob, &HeaderMap::new(), year_5000).is_err());
}

#[test]
fn without_any_ca_everybody_is_anonymous_and_certificates_are_refused() {
    let trust = Trust::parse(&BTreeMap::new()).unwrap();
    let user = who(&trust, &[], &claims()).unwrap();
    assert_eq!(
        (user.name.as_str(), user.groups),
        ("system:anonymous", vec!["system:unauthenticated".to_owned()])
    );
    assert!(who(&trust, &[Pki::new("ca").client("bob", &[])], &claims()).is_err());
}

#[test]
fn a_configmap_that_cannot_be_used_says_which_key() {
    for (key, value) in [
        (
            "client-ca-file",
            "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n",
        ),
        ("client-ca-file", ""),
        ("requestheader-allowed-names", "not json"),
    ] {
        let mut data = BTreeMap::from([("requestheader-client-ca-file".to_owned(), Pki::new("ca").pem())]);
        data.insert(key.to_owned(), value.to_owned());
        let error = Trust::parse(&data).unwrap_err();
        assert!(error.to_string().starts_with(key), "{error}");
    }
}

#[test]
fn a_front_proxy_certificate_must_be_for_clients_and_of_its_time() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, r#"["front-proxy-client"]"#);
    let server = proxies.issue("front-proxy-client", &[], ExtendedKeyUsagePurpose::ServerAuth);
    assert!(who(&trust, &[server], &claims()).is_err());
    let proxy = [proxies.client("front-proxy-client", &[])];
    let year_5000 = UnixTime::since_unix_epoch(std::time::Duration::from_secs(95_617_584_000));
    assert!(trust.authenticate(&proxy, &claims(), year_5000).is_err());
    // Without a user name the headers name no user, and the proxy's certificate is not from a client CA.
    assert!(who(&trust, &proxy, &headers(&[("X-Remote-Group", "ops")])).is_err());
}

#[test]
fn headers_are_those_the_configmap_names_and_extra_keys_are_decoded() {
    let proxies = Pki::new("front-proxy-ca");
    let data = [
        ("requestheader-client-ca-file", proxies.pem()),
        ("requestheader-username-headers", r#"["X-A", "X-B"]"#.to_owned()),
        ("requestheader-uid-headers", r#"["X-Uid"]"#.to_owned()),
        ("requestheader-extra-headers-prefix", r#"["X-Extra-"]"#.to_owned()),
    ];
    let data = data.into_iter().map(|(key, value)| (key.to_owned(), value));
    let trust = Trust::parse(&data.collect()).unwrap();
    let sent = headers(&[
        ("X-Remote-User", "mallory"),
        ("X-Remote-Group", "system:masters"),
        ("X-B", "alice"),
        ("X-Uid", "7"),
        ("X-Extra-Example.com%2FScopes", "read"),
        ("X-Extra-Example.com%2fscopes", "write"),
        ("X-Extra-Half%2", "kept as it is"),
    ]);
    let user = who(&trust, &[proxies.client("anyone", &[])], &sent).unwrap();
    let expected = User {
        name: "alice".to_owned(),
        uid: Some("7".to_owned()),
        groups: vec!["system:authenticated".to_owned()],
        extra: BTreeMap::from([
            (
                "example.com/scopes".to_owned(),
                vec!["read".to_owned(), "write".to_owned()],
            ),
            ("half%2".to_owned(), vec!["kept as it is".to_owned()]),
        ]),
    };
    assert_eq!(user, expected);
}

#[test]
fn of_several_common_names_the_last_counts_as_in_go() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, r#"["front-proxy-client"]"#);
    let text = |name: &str| DnValue::Utf8String(name.to_owned());
    let named = |pki: &Pki, names| [pki.client_with_names(names)];
    let client = named(&clients, [text("system:admin"), text("bob")]);
    assert_eq!(who(&trust, &client, &HeaderMap::new()).unwrap().name, "bob");
    let proxy = named(&proxies, [text("mallory"), text("front-proxy-client")]);
    assert_eq!(who(&trust, &proxy, &claims()).unwrap().name, "alice");
    let no_proxy = named(&proxies, [text("front-proxy-client"), text("mallory")]);
    assert!(who(&trust, &no_proxy, &claims()).is_err());
    let unreadable = DnValue::BmpString(BmpString::try_from("bob").unwrap());
    for last in [unreadable, text("")] {
        let client = named(&clients, [text("system:admin"), last.clone()]);
        assert!(who(&trust, &client, &HeaderMap::new()).is_err(), "{last:?}");
    }
}

#[test]
fn clients_in_turn_are_each_named_by_their_own_certificate() {
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let trust = trust(&proxies, &clients, r#"["front-proxy-client"]"#);
    let (bob, carol) = ([clients.client("bob", &["dev"])], [clients.client("carol", &[])]);
    for _ in 0..2 {
        let bob = who(&trust, &bob, &HeaderMap::new()).unwrap();
        assert_eq!(
            (bob.name.as_str(), bob.groups.first().map(String::as_str)),
            ("bob", Some("dev"))
        );
        let carol = who(&trust, &carol, &HeaderMap::new()).unwrap();
        assert_eq!(
            (carol.name.as_str(), carol.groups.as_slice()),
            ("carol", &["system:authenticated".to_owned()][..])
        );
    }
}
