//! The API, resource by resource.

use reqwest::Method;
use serde_json::json;

use crate::support::{Stack, until};

#[tokio::test]
async fn pages_by_offset_show_what_pages_by_key_show() {
    let stack = Stack::new().await;
    let ((_one, by_key), (_two, by_offset)) =
        tokio::join!(stack.gateway(&[]), stack.gateway(&["--paging", "offset"]));
    let (admin, user) = tokio::join!(by_key.logged_in("admin0"), by_key.logged_in("user0"));
    let sessions = user.get("/api/sessions?all=true&limit=1").await;
    let history = format!("/api/sessions/{}/messages?", sessions.text("/items/0/id"));
    for (client, path) in [
        (&user, history.as_str()),
        (&admin, "/api/documents?"),
        (&user, "/api/documents?"),
        (&admin, "/api/admin/audit-log?action=login&"),
    ] {
        let mut pages = Vec::new();
        for client in [client.clone(), by_offset.with_token_of(client)] {
            let (mut items, mut after) = (Vec::new(), String::new());
            for _ in 0..3 {
                let page = client.get(&format!("{path}limit=3{after}")).await;
                items.extend(page.body["items"].as_array().unwrap().clone());
                match page.body["next"].as_str() {
                    Some(next) => after = format!("&after={next}"),
                    None => break,
                }
            }
            pages.push(items);
        }
        assert!(!pages[0].is_empty(), "{path}");
        assert_eq!(pages[0], pages[1], "{path}");
    }
}

#[tokio::test]
async fn a_token_is_refreshed_once_and_names_its_user() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let login = json!({"email": "User0@VoiceAssist.example", "password": "load-test"});
    let first = client.post("/api/auth/login", &login).await;
    assert_eq!((first.code, first.body["expiresIn"].as_u64()), (200, Some(3600)));
    let me = client.with_token(first.text("/token")).get("/api/users/me").await;
    assert_eq!(
        (me.text("/email"), me.text("/role")),
        ("user0@voiceassist.example", "user")
    );

    let refresh = json!({"refreshToken": first.text("/refreshToken")});
    let second = client.post("/api/auth/refresh", &refresh).await;
    assert_eq!(
        client
            .with_token(second.text("/token"))
            .get("/api/users/me")
            .await
            .code,
        200
    );
    assert!(
        client.post("/api/auth/refresh", &refresh).await.is_problem(401),
        "a token is good for one refresh"
    );
}

#[tokio::test]
async fn nobody_logs_in_without_the_password() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    for (email, password) in [
        ("user0@voiceassist.example", "load-tes"),
        ("nobody@voiceassist.example", "load-test"),
        ("' or 1=1 --@voiceassist.example", "load-test"),
    ] {
        let answer = client
            .post("/api/auth/login", &json!({"email": email, "password": password}))
            .await;
        assert!(
            answer.is_problem(401) || answer.is_problem(422),
            "{email}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_session_is_its_users_own_and_takes_messages_while_it_is_open() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let (mine, other) = tokio::join!(client.logged_in("user0"), client.logged_in("user1"));
    let opened = mine.post("/api/sessions", &json!({"title": "a talk"})).await;
    assert_eq!(opened.code, 201);
    let session = format!("/api/sessions/{}", opened.text("/id"));
    let messages = format!("{session}/messages");
    for number in 0..25 {
        let sent = mine
            .post(&messages, &json!({"text": format!("message {number}")}))
            .await;
        assert_eq!(sent.code, 201, "{sent:?}");
    }
    let first = mine.get(&messages).await;
    assert_eq!((first.items(), first.text("/items/0/text")), (20, "message 24"));
    let rest = mine
        .get(&format!("{messages}?after={}", first.text("/next")))
        .await;
    assert_eq!((rest.items(), rest.text("/items/4/text")), (5, "message 0"));
    assert!(rest.body["next"].is_null());

    for path in [&session, &messages] {
        assert!(other.get(path).await.is_problem(404), "{path} is somebody else's");
    }
    assert!(
        other
            .post(&messages, &json!({"text": "hello"}))
            .await
            .is_problem(404)
    );
    assert!(other.delete(&session).await.is_problem(404));

    assert_eq!(mine.delete(&session).await.code, 204);
    assert!(mine.delete(&session).await.is_problem(404), "it is closed");
    assert!(
        mine.post(&messages, &json!({"text": "hello"}))
            .await
            .is_problem(404),
        "it is closed"
    );
    let open = mine.get("/api/sessions?limit=100").await;
    let all = mine.get("/api/sessions?limit=100&all=true").await;
    assert!(all.items() > open.items());
}

#[tokio::test]
async fn a_document_is_found_once_a_worker_has_indexed_it() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("power0").await;
    let upload = json!({"name": "on zebras", "text": "Zebrafish regrow their hearts."});
    let uploaded = user.post("/api/documents", &upload).await;
    assert_eq!(uploaded.code, 201);
    let document = format!("/api/documents/{}", uploaded.text("/id"));
    assert_eq!(user.get(&document).await.body["indexed"], false);
    assert_eq!(user.get("/api/search?q=zebrafish").await.items(), 0);

    let _worker = stack.worker(&[]).await;
    until("the document is indexed", async || {
        (user.get(&document).await.body["indexed"] == true).then_some(())
    })
    .await;
    // That there was nothing is kept for two seconds.
    let found = until("a search finds it", async || {
        Some(user.get("/api/search?q=zebrafish").await).filter(|found| found.items() > 0)
    })
    .await;
    assert_eq!((found.items(), found.text("/items/0/name")), (1, "on zebras"));
    let known = user.get("/api/search?q=ibuprofen").await;
    assert_eq!(
        known.items(),
        10,
        "the generated documents are found, the nearest ten"
    );
    let scores: Vec<f64> = (0..10)
        .map(|item| known.body["items"][item]["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

#[tokio::test]
async fn an_administrator_pages_through_all_documents_and_a_user_through_its_own() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let (admin, user) = tokio::join!(client.logged_in("admin0"), client.logged_in("user0"));
    let (mut path, mut seen, mut pages) = ("/api/documents?limit=30".to_owned(), 0, 0);
    loop {
        let page = admin.get(&path).await;
        (seen, pages) = (seen + page.items(), pages + 1);
        let Some(next) = page.body["next"].as_str() else {
            break;
        };
        path = format!("/api/documents?limit=30&after={next}");
    }
    assert_eq!((seen, pages), (100, 4));
    assert_eq!(user.get("/api/documents").await.items(), 1);
    assert!(user.get("/api/documents?unindexed=true").await.is_problem(403));
}

#[tokio::test]
async fn an_administrator_invites_reads_and_deletes_a_user_and_the_audit_log_says_so() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let admin = client.logged_in("admin0").await;
    let new = json!({"email": "new@voiceassist.example"});
    let invited = admin.post("/api/admin/users", &new).await;
    let again = admin.post("/api/admin/users", &new).await;
    assert_eq!((invited.code, again.code), (201, 200));
    assert_eq!(
        invited.text("/id"),
        again.text("/id"),
        "a second invitation is the first"
    );
    let taken = json!({"email": "user0@voiceassist.example"});
    assert!(admin.post("/api/admin/users", &taken).await.is_problem(409));

    let path = format!("/api/admin/users/{}", invited.text("/id"));
    assert_eq!(admin.get(&path).await.body["invited"], true);
    assert_eq!(admin.get("/api/admin/users?invited=true").await.items(), 1);
    assert_eq!(admin.delete(&path).await.code, 204);
    assert!(admin.get(&path).await.is_problem(404));
    let me = admin.get("/api/users/me").await;
    let myself = format!("/api/admin/users/{}", me.text("/id"));
    assert!(admin.delete(&myself).await.is_problem(409));

    let log = admin.get("/api/admin/audit-log?limit=3").await;
    let actions: Vec<&str> = (0..3)
        .map(|item| log.body["items"][item]["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["user.delete", "user.invite", "login"]);
    let actor = format!("/api/admin/audit-log?actor={}&action=user.invite", me.text("/id"));
    assert_eq!(admin.get(&actor).await.items(), 1);
    assert_eq!(
        admin
            .get("/api/admin/audit-log?subject=new@voiceassist.example")
            .await
            .items(),
        1
    );
    assert_eq!(
        admin.get("/api/admin/audit-log?action=flag.set").await.items(),
        10
    );
}

#[tokio::test]
async fn a_flag_is_set_by_administrators_and_seen_by_users() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let (admin, user) = tokio::join!(client.logged_in("admin0"), client.logged_in("user0"));
    assert!(user.get("/api/feature-flags").await.body["flags"]["beta"].is_null());
    let set = admin
        .post(
            "/api/admin/feature-flags",
            &json!({"name": "beta", "enabled": true}),
        )
        .await;
    assert_eq!((set.code, &set.body["enabled"]), (200, &json!(true)));
    until("the flag is on", async || {
        (user.get("/api/feature-flags").await.body["flags"]["beta"] == true).then_some(())
    })
    .await;
    assert_eq!(admin.get("/api/admin/feature-flags").await.items(), 4);
}

#[tokio::test]
async fn what_is_an_administrators_is_nobody_elses() {
    let stack = Stack::new().await;
    let (_gateway, client) = stack.gateway(&[]).await;
    let user = client.logged_in("user0").await;
    for path in ["overview", "metrics", "users", "feature-flags", "audit-log"] {
        let path = format!("/api/admin/{path}");
        assert!(client.get(&path).await.is_problem(401), "{path}");
        assert!(user.get(&path).await.is_problem(403), "{path}");
        let admin = client.logged_in("admin0").await;
        assert_eq!(admin.get(&path).await.code, 200, "{path}");
    }
    for path in [
        "/api/users/me",
        "/api/sessions",
        "/api/documents",
        "/api/search?q=a",
        "/api/feature-flags",
    ] {
        assert!(client.get(path).await.is_problem(401), "{path}");
    }
    let id = client
        .logged_in("user1")
        .await
        .get("/api/users/me")
        .await
        .text("/id")
        .to_owned();
    let deleted = user
        .send(user.request(Method::DELETE, &format!("/api/admin/users/{id}")))
        .await;
    assert!(deleted.is_problem(403));
}
