//! What is taken from answers and checked on them, at a server that refuses what it did not give.

use serde_json::{Value, json};

use super::{
    catcher::{Answer, Arrived, Catcher, answer},
    command::{file, read, test, words},
    inputs::scenario,
};

const PAGE: &str = "<!DOCTYPE html><title>Items</title>
<form method=post><input type=hidden name=\"csrf\" value=\"t0k/en+1=\"><input name=note></form>";

pub(super) fn with(mut answer: Answer, headers: &[(&'static str, &str)]) -> Answer {
    for (name, value) in headers {
        answer
            .headers_mut()
            .append(*name, value.parse().expect("a header"));
    }
    answer
}

fn items(request: &Arrived) -> Answer {
    let path = request.place();
    if path == "/page" {
        let headers = [
            ("etag", "\"v7\""),
            ("set-cookie", "sid=abc; HttpOnly"),
            ("content-type", "text/html; charset=utf-8"),
        ];
        return with(answer(200, PAGE), &headers);
    }
    if path == "/items" {
        let sent = ["x-csrf", "x-ticket", "if-match", "cookie"].map(|name| request.header(name));
        if sent != ["t0k/en+1=", "t0k/en+1= Items", "\"v7\"", "sid=abc"] {
            return answer(403, "");
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let note = body["note"].as_str().unwrap_or_default();
        let created = json!({"id": format!("i-{note}"), "note": note, "state": "open", "count": 3});
        let place = format!("/items/{note}");
        return with(answer(201, created.to_string()), &[("location", &place)]);
    }
    let known = path.strip_prefix("/items/i-").is_some_and(|note| note.len() == 8);
    answer(if known { 200 } else { 404 }, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_taken_from_answers_and_answers_are_checked() {
    let server = Catcher::answering(items).await;
    let ended = test(&["run", &scenario("answers.yaml"), "--target", &server.url]).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    let arrived = server.take();
    let count = |path: &str| {
        arrived
            .iter()
            .filter(|one| one.path.starts_with(path) && (path.ends_with('-') || one.path == path))
            .count()
    };
    assert_eq!(["/page", "/items", "/items/i-"].map(count), [6, 6, 6]);
    for threshold in [
        "errors <= 0 ",
        "requests >= 18 ",
        "latency mean < 10s ",
        "step page: latency p95 <= 10s ",
    ] {
        assert!(stdout.contains(threshold), "{threshold}: {stdout}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_does_not_hold_says_what_was_found_and_what_is_none_is_named_before_the_run() {
    let server = Catcher::answering(items).await;
    let text = std::fs::read_to_string(scenario("answers.yaml")).expect("the scenario");
    let changed = file("answers-changed.yaml");
    let path = changed.display().to_string();
    let json = file("answers-changed.json");
    let output = format!("json={}", json.display());
    let run = ["run", &path, "--target", &server.url, "-o", &output];
    std::fs::write(&changed, text.replace("json /count == 3", "json /count == 4")).expect("a file");
    let ended = test(&run).await;
    assert!(matches!(ended.status.code(), Some(99 | 3)), "{:?}", words(&ended));
    let step = &read(&json)["steps"]["create"];
    assert_eq!(step["failures"]["check: not json /count == 4"], 6, "{step}");
    assert_eq!(step["examples"]["check: not json /count == 4"], "3", "{step}");
    server.take();
    for (from, to, words) in [
        (
            "json /count == 3",
            "jason /count",
            "checks[3]: \"jason /count\" must be \"contains TEXT\"",
        ),
        ("== {{note}}", "== {{nota}}", "{{nota}} has no value"),
        (
            "cookie:sid",
            "cookies:sid",
            "extract.sid: \"cookies:sid\" must be json:/POINTER",
        ),
        (
            "css:title",
            "css:title,h1",
            "extract.title: the CSS selector has \",h1\" where",
        ),
        (
            "([^\"]+)",
            "([^\"]+",
            "is not a regular expression: unclosed group",
        ),
        (
            "errors <= 0",
            "errors < 0",
            "can never hold, because nothing is below 0: write <=",
        ),
        ("size > 20", "size > much", "\"much\" is not a size"),
    ] {
        std::fs::write(&changed, text.replace(from, to)).expect("a file");
        let ended = test(&[&run[..], &["--dry-run"]].concat()).await;
        let (stdout, stderr) = super::command::words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{to}: {stdout}{stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    assert!(server.take().is_empty());
}
