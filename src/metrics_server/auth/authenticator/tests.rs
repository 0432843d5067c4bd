use axum::http::{HeaderName, StatusCode};
use serde_json::json;

use super::*;
use crate::auth::{
    authn::{Trust, testing::Pki},
    review::testing::{Decision, ManualClock, ReviewServer},
};

const HEADERS: [(&str, &str); 3] = [
    ("x-remote-user", "proxied"),
    ("x-remote-group", "system:masters"),
    ("authorization", "Bearer good"),
];

struct Fixture {
    authenticator: Authenticator,
    proxies: Pki,
    clients: Pki,
    server: ReviewServer,
}

async fn fixture(decide: Decision) -> Fixture {
    let server = ReviewServer::new(decide);
    let clock = Arc::new(ManualClock::default());
    let (proxies, clients) = (Pki::new("front-proxy-ca"), Pki::new("client-ca"));
    let data = [
        ("client-ca-file", clients.pem()),
        ("requestheader-client-ca-file", proxies.pem()),
        (
            "requestheader-username-headers",
            r#"["X-Remote-User"]"#.to_owned(),
        ),
        ("requestheader-group-headers", r#"["X-Remote-Group"]"#.to_owned()),
    ];
    let data = data
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let trust = Arc::new(CurrentTrust::default());
    trust.set(Trust::parse(&data).unwrap());
    let client = server.start().await;
    let ttl = std::time::Duration::from_secs(10);
    let authenticator = Authenticator {
        trust,
        tokens: TokenReviewer::new(client, ttl, clock.clone()).unwrap(),
        clock,
    };
    Fixture {
        authenticator,
        proxies,
        clients,
        server,
    }
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let parsed = |(name, value): &(&str, &str)| {
        let name: HeaderName = name.parse().unwrap();
        (name, value.parse().unwrap())
    };
    pairs.iter().map(parsed).collect()
}

impl Fixture {
    async fn who(&self, chain: &[CertificateDer<'_>], pairs: &[(&str, &str)]) -> Result<String, u16> {
        let user = self.authenticator.authenticate(chain, &headers(pairs)).await;
        user.map(|user| user.name.clone()).map_err(|error| error.code())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn good_is_alices(spec: &serde_json::Value) -> Result<serde_json::Value, StatusCode> {
    Ok(json!({"authenticated": spec["token"] == "good", "user": {"username": "alice"}}))
}

#[tokio::test]
async fn the_front_proxy_comes_first_then_the_certificate_then_the_token_then_nobody() {
    let fixture = fixture(good_is_alices).await;
    let (proxy, bob) = (
        fixture.proxies.client("proxy", &[]),
        fixture.clients.client("bob", &[]),
    );
    let [user, group, token] = HEADERS;
    assert_eq!(fixture.who(&[proxy], &HEADERS).await, Ok("proxied".to_owned()));
    assert_eq!(fixture.who(&[bob], &HEADERS).await, Ok("bob".to_owned()));
    assert_eq!(fixture.server.seen().len(), 0, "no review was needed");
    assert_eq!(fixture.who(&[], &HEADERS).await, Ok("alice".to_owned()));
    assert_eq!(fixture.who(&[], &[token]).await, Ok("alice".to_owned()));
    assert_eq!(
        fixture.who(&[], &[user, group]).await,
        Ok("system:anonymous".to_owned())
    );
}

#[tokio::test]
async fn credentials_that_do_not_hold_are_refused_and_not_taken_for_none() {
    let fixture = fixture(good_is_alices).await;
    let stranger = [Pki::new("client-ca").client("admin", &["system:masters"])];
    assert_eq!(
        fixture.who(&[], &[("authorization", "Bearer bad")]).await,
        Err(401)
    );
    assert_eq!(fixture.who(&stranger, &[]).await, Err(401));
    assert_eq!(
        fixture.who(&stranger, &[("authorization", "Bearer bad")]).await,
        Err(401)
    );
    // One valid credential is enough.
    assert_eq!(
        fixture.who(&stranger, &[("authorization", "Bearer good")]).await,
        Ok("alice".to_owned())
    );
    // Other schemes than Bearer are ignored.
    let basic = [("authorization", "Basic YTpi")];
    assert_eq!(fixture.who(&[], &basic).await, Ok("system:anonymous".to_owned()));
}

#[tokio::test]
async fn a_token_that_cannot_be_reviewed_is_an_error_and_nobody() {
    let fixture = fixture(|_| Err(StatusCode::BAD_GATEWAY)).await;
    assert_eq!(fixture.who(&[], &HEADERS).await, Err(503));
}

#[tokio::test]
async fn before_the_trust_is_read_nobody_is_believed() {
    let mut fixture = fixture(good_is_alices).await;
    fixture.authenticator.trust = Arc::default();
    let bob = fixture.clients.client("bob", &[]);
    assert_eq!(fixture.who(&[bob], &HEADERS).await, Err(503));
}
