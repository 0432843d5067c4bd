use axum::http::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::auth::review::testing::{Decision, ManualClock, ReviewServer};

struct Fixture {
    tokens: TokenReviewer,
    clock: Arc<ManualClock>,
    server: ReviewServer,
}

async fn fixture(server: ReviewServer) -> Fixture {
    let clock = Arc::new(ManualClock::default());
    let client = server.start().await;
    Fixture {
        tokens: TokenReviewer::new(client, Duration::from_secs(10), clock.clone()).unwrap(),
        clock,
        server,
    }
}

async fn deciding(decide: Decision) -> Fixture {
    fixture(ReviewServer::new(decide)).await
}

impl Fixture {
    async fn who(&self, token: &str) -> Result<Option<String>, u16> {
        let user = self.tokens.user(token).await.map_err(|error| error.code())?;
        Ok(user.map(|user| user.name.clone()))
    }

    fn reviews(&self) -> usize {
        self.server.seen().len()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a decision")]
fn alice(spec: &Value) -> Result<Value, StatusCode> {
    if spec["token"] == "alices" {
        let user = json!({"username": "alice", "uid": "7", "groups": ["dev"], "extra": {"scopes": ["read"]}});
        Ok(json!({"authenticated": true, "user": user}))
    } else {
        Ok(json!({"error": "no such token"}))
    }
}

#[tokio::test]
async fn a_token_is_whose_the_review_says() {
    let fixture = deciding(alice).await;
    let user = fixture.tokens.user("alices").await.unwrap().unwrap();
    let expected = User {
        name: "alice".to_owned(),
        uid: Some("7".to_owned()),
        groups: vec!["dev".to_owned(), "system:authenticated".to_owned()],
        extra: [("scopes".to_owned(), vec!["read".to_owned()])].into(),
    };
    assert_eq!(*user, expected);
    assert_eq!(fixture.who("another").await, Ok(None));
}

#[tokio::test]
async fn answers_count_for_as_long_as_is_set_both_ways() {
    let fixture = deciding(alice).await;
    for (now, reviews) in [(0, 2), (9, 2), (10, 4)] {
        fixture.clock.set(now);
        assert_eq!(fixture.who("alices").await, Ok(Some("alice".to_owned())));
        assert_eq!(fixture.who("another").await, Ok(None));
        assert_eq!(fixture.reviews(), reviews, "at {now}s");
    }
}

#[tokio::test]
async fn equal_tokens_at_once_are_reviewed_once() {
    let fixture = fixture(ReviewServer::shut(alice)).await;
    let requests = futures::future::join_all((0..50).map(|_| fixture.who("alices")));
    let open = async {
        while fixture.reviews() == 0 {
            tokio::task::yield_now().await;
        }
        fixture.server.open();
    };
    let (answers, ()) = tokio::join!(requests, open);
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Some("alice".to_owned()))),
        "{answers:?}"
    );
    assert_eq!(fixture.reviews(), 1);
}

#[tokio::test]
async fn a_review_that_fails_is_no_identity_and_is_not_kept() {
    for (code, answer) in [(500, 503), (429, 503), (403, 500)] {
        let decide: Decision = match code {
            500 => |_| Err(StatusCode::INTERNAL_SERVER_ERROR),
            429 => |_| Err(StatusCode::TOO_MANY_REQUESTS),
            _ => |_| Err(StatusCode::FORBIDDEN),
        };
        let fixture = deciding(decide).await;
        for _ in 0..2 {
            assert_eq!(fixture.who("alices").await, Err(answer), "{code}");
        }
        assert_eq!(fixture.reviews(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_review_without_an_answer_is_a_timeout() {
    let fixture = fixture(ReviewServer::shut(alice)).await;
    assert_eq!(fixture.who("alices").await, Err(504));
}

#[tokio::test]
async fn made_up_tokens_do_not_pile_up_reviews() {
    let fixture = fixture(ReviewServer::shut(alice)).await;
    let tokens: Vec<String> = (0..=MAX_PENDING).map(|n| n.to_string()).collect();
    let flood = futures::future::join_all(tokens.iter().map(|token| fixture.who(token)));
    let open = async {
        while fixture.reviews() < MAX_PENDING {
            tokio::task::yield_now().await;
        }
        fixture.server.open();
    };
    let (answers, ()) = tokio::join!(flood, open);
    assert_eq!(answers.iter().filter(|answer| **answer == Err(429)).count(), 1);
    assert_eq!(fixture.who("alices").await, Ok(Some("alice".to_owned())));
}

#[test]
fn a_review_without_a_plain_yes_and_a_name_is_nobody() {
    for status in [
        json!({}),
        json!({"authenticated": false, "user": {"username": "alice"}}),
        json!({"authenticated": true}),
        json!({"authenticated": true, "user": {"username": ""}}),
        json!({"authenticated": true, "user": {"groups": ["system:masters"]}}),
    ] {
        let status: TokenReviewStatus = serde_json::from_value(status).unwrap();
        assert_eq!(user(status.clone()), None, "{status:?}");
    }
}

#[test]
fn only_the_bearer_scheme_is_read() {
    for (value, token) in [
        ("Bearer abc", Some("abc")),
        ("bearer  abc ", Some("abc")),
        ("Bearer ", None),
        ("Bearer", None),
        ("Basic YTpi", None),
        ("abc", None),
    ] {
        let headers = [(AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
        assert_eq!(bearer_token(&headers), token, "{value:?}");
    }
    assert_eq!(bearer_token(&HeaderMap::new()), None);
}
