//! What callers send that is wrong: each is answered with its status and a JSON problem, and nothing is stored.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use voiceassist::identity::{Identity, Role, TokenKey};

use crate::support::Stack;

#[tokio::test]
async fn bodies_that_are_wrong_are_problems() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    for (body, kind, code) in [
        ("{", "application/json", 400),
        ("", "application/json", 400),
        ("[]", "application/json", 422),
        ("{}", "application/json", 422),
        (r#"{"title": 7}"#, "application/json", 422),
        (r#"{"title": ""}"#, "application/json", 422),
        (r#"{"title": "a\u0000b"}"#, "application/json", 422),
        (r#"{"title": "a"}"#, "text/plain", 415),
    ] {
        let request = user.request(Method::POST, "/api/sessions");
        let answer = user.send(request.header("content-type", kind).body(body)).await;
        assert!(answer.is_problem(code), "{body:?}: {answer:?}");
    }
    let long = "a".repeat(201);
    assert!(
        user.post("/api/sessions", &json!({"title": long}))
            .await
            .is_problem(422)
    );
    let megabyte = "a".repeat(1 << 20);
    let answer = user
        .post("/api/documents", &json!({"name": "n", "text": megabyte}))
        .await;
    assert!(answer.is_problem(413), "{answer:?}");
}

#[tokio::test]
async fn paths_and_parameters_that_are_wrong_are_problems() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    for (path, code) in [
        ("/api/nothing", 404),
        ("/api/sessions/7", 404),
        ("/api/sessions/%00", 404),
        ("/api/sessions/00000000-0000-0000-0000-000000000000", 404),
        ("/api/sessions?limit=101", 400),
        ("/api/sessions?limit=0", 400),
        ("/api/sessions?limit=many", 400),
        ("/api/sessions?after=7", 400),
        ("/api/search", 400),
        ("/api/search?q=", 400),
        ("/api/search?q=%00", 400),
    ] {
        let answer = user.get(path).await;
        assert!(answer.is_problem(code), "{path}: {answer:?}");
    }
    let answer = user.send(user.request(Method::PATCH, "/api/sessions")).await;
    assert!(answer.is_problem(405), "{answer:?}");
}

#[tokio::test]
async fn sql_is_text_in_every_field() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let (user, admin) = tokio::join!(client.logged_in("user0"), client.logged_in("admin0"));
    let sql = "'; drop table users; --";
    let opened = user.post("/api/sessions", &json!({"title": sql})).await;
    let session = format!("/api/sessions/{}", opened.text("/id"));
    assert_eq!(user.get(&session).await.text("/title"), sql);
    let messages = format!("{session}/messages");
    assert_eq!(user.post(&messages, &json!({"text": sql})).await.code, 201);
    assert_eq!(user.get(&messages).await.text("/items/0/text"), sql);
    assert_eq!(
        user.post("/api/documents", &json!({"name": sql, "text": sql}))
            .await
            .code,
        201
    );
    let search = user.request(Method::GET, "/api/search").query(&[("q", sql)]);
    assert_eq!(user.send(search).await.code, 200);
    assert_eq!(
        admin
            .post("/api/admin/feature-flags", &json!({"name": sql, "enabled": true}))
            .await
            .code,
        200
    );
    for name in ["action", "subject"] {
        let filter = admin
            .request(Method::GET, "/api/admin/audit-log")
            .query(&[(name, sql)]);
        assert_eq!(admin.send(filter).await.code, 200, "{name}");
    }
    assert_eq!(stack.number("select count(*) from users").await, 500);
}

#[tokio::test]
async fn tokens_that_are_wrong_or_expired_are_refused() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack
        .gateway(&["--token-lifetime", "0s", "--drain-delay", "0s"])
        .await;
    let login = json!({"email": "user0@voiceassist.example", "password": "load-test"});
    let expired = client.post("/api/auth/login", &login).await;
    let key = TokenKey::new("another secret, which is long enough too").unwrap();
    let forged = Identity {
        user: uuid::Uuid::from_u128(7),
        role: Role::Admin,
    };
    let forged = key.sign(forged, Duration::from_secs(u32::MAX.into()));
    for token in [expired.text("/token"), &forged, "", "a.b.c", &"a".repeat(5000)] {
        let answer = client.with_token(token).get("/api/users/me").await;
        assert!(answer.is_problem(401), "{token:.40}: {answer:?}");
    }
    let request = client
        .request(Method::GET, "/api/users/me")
        .header("authorization", "Basic dXNlcjA6");
    assert!(client.send(request).await.is_problem(401));
}

#[tokio::test]
async fn a_body_that_does_not_come_holds_a_request_only_so_long() {
    let stack = Stack::new().await;
    let (gateway, _client) = stack.gateway(&["--request-timeout", "300ms"]).await;
    let mut slow = TcpStream::connect(&gateway.address).await.unwrap();
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(10), slow.read_exact(&mut answer));
    read.await.expect("it is answered in time").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}

#[tokio::test]
async fn a_request_without_a_connection_to_the_database_waits_only_so_long() {
    use sqlx::Connection as _;
    let stack = Stack::new().await;
    let flags = ["--pool-size", "1", "--pool-overflow", "0", "--pool-wait", "300ms"];
    let (_gateway, client) = stack.gateway(&flags).await;
    let admin = client.logged_in("admin0").await;
    // The one connection waits for a lock that we hold.
    let mut connection = stack.connect().await;
    let mut lock = connection.begin().await.unwrap();
    sqlx::raw_sql("lock table feature_flags")
        .execute(&mut *lock)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let admin = admin.clone();
        async move { admin.get("/api/admin/feature-flags").await }
    });
    crate::support::until("the query waits for the lock", async || {
        let waits = "select count(*) from pg_stat_activity
                     where wait_event_type = 'Lock' and datname = current_database()";
        (stack.number(waits).await == 1).then_some(())
    })
    .await;
    let refused = admin.get("/api/users/me").await;
    assert!(refused.is_problem(503), "{refused:?}");
    assert_eq!(refused.headers["retry-after"], "1");
    lock.rollback().await.unwrap();
    let Value::Array(flags) = &waiting.await.unwrap().body["items"] else {
        panic!("flags")
    };
    assert_eq!(flags.len(), 4);
    assert_eq!(admin.get("/api/users/me").await.code, 200);
}
