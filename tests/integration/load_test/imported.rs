//! Scenarios that `vas test import` writes, run against a server that refuses whatever is not as it was recorded.

use serde_json::json;

use super::{
    catcher::{Answer, Arrived, Catcher, answer},
    command::{file, test, test_with, words},
};

/// What the variables of the environment have, none of which a file, a report or an output may have.
const VALUES: [(&str, &str); 4] = [
    ("TARGET_AUTHORIZATION", "s3cr3t-bearer"),
    ("TARGET_API_KEY", "s3cr3t-key"),
    ("TARGET_PASSWORD", "s3cr3t-password"),
    ("TARGET_DEVICE", "s3cr3t-device"),
];

/// A service that knows the secrets of today. Those of the recordings are `old-...`.
fn service(request: &Arrived) -> Answer {
    let bearer = request.header("authorization") == "Bearer s3cr3t-bearer";
    let key = || request.query().get("api_key").map(String::as_str) == Some("s3cr3t-key");
    let cookies = request.header("cookie");
    let known = match request.place() {
        "/login" => request.body == r#"{"user": "ada", "password": "s3cr3t-password"}"#,
        "/items" => bearer && key() && (cookies.is_empty() || cookies == "sid=made-for-this-user"),
        "/orders" => bearer && request.body == r#"{"device":"s3cr3t-device"}"#,
        _ => false,
    };
    let mut answer = answer(if known { 200 } else { 400 }, "");
    if request.place() == "/login" {
        let cookie = "sid=made-for-this-user; Path=/".parse().expect("a header");
        answer.headers_mut().insert("set-cookie", cookie);
    }
    answer
}

fn recording(url: &str) -> String {
    let login = json!({
        "request": {"method": "POST", "url": format!("{url}/login"), "headers": [],
            "postData": {"mimeType": "application/json", "text": r#"{"user": "ada", "password": "old-password"}"#}},
        "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "sid=old-sid; Path=/"}]},
    });
    let items = json!({
        "request": {"method": "GET", "url": format!("{url}/items?api_key=old-key&page=1"), "headers": [
            {"name": "Authorization", "value": "Bearer old-bearer"}, {"name": "Cookie", "value": "sid=old-sid"},
        ]},
        "response": {"status": 200},
    });
    json!({"log": {"entries": [login, items]}}).to_string()
}

fn collection(url: &str) -> String {
    json!({
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "old-bearer"}]},
        "item": [
            {"name": "items", "request": {"url": format!("{url}/items?api_key={{{{api key}}}}")}},
            {"name": "order", "request": {"method": "POST", "url": format!("{url}/orders"), "body":
                {"mode": "raw", "raw": r#"{"device":"{{device}}"}"#}}},
        ],
    })
    .to_string()
}

fn description(url: &str) -> String {
    json!({
        "openapi": "3.0.3",
        "servers": [{"url": url}],
        "security": [{"jwt": [], "key": []}],
        "paths": {"/items": {"get": {}}},
        "components": {"securitySchemes": {
            "jwt": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "query", "name": "api_key"},
        }},
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_imported_scenario_runs_once_its_variables_are_set_and_has_no_secret() {
    let server = Catcher::answering(service).await;
    for (kind, input, needs) in [
        (
            "har",
            recording(&server.url),
            &["TARGET_AUTHORIZATION", "TARGET_API_KEY", "TARGET_PASSWORD"][..],
        ),
        (
            "postman",
            collection(&server.url),
            &["TARGET_AUTHORIZATION", "TARGET_API_KEY", "TARGET_DEVICE"],
        ),
        (
            "openapi",
            description(&server.url),
            &["TARGET_AUTHORIZATION", "TARGET_API_KEY"],
        ),
    ] {
        let (from, to) = (
            file(&format!("imported-{kind}")),
            file(&format!("imported-{kind}.yaml")),
        );
        std::fs::write(&from, input).expect("a file");
        let imported = test(&["import", kind, &from.display().to_string()]).await;
        let (text, said) = words(&imported);
        assert_eq!(imported.status.code(), Some(0), "{kind}: {said}");
        assert!(!format!("{text}{said}").contains("old-"), "{kind}: {text}{said}");
        for name in needs {
            assert!(
                text.contains(&format!("# needs {name} in the environment: ")),
                "{text}"
            );
            assert!(said.contains(&format!("to do: set {name} ")), "{said}");
        }
        std::fs::write(&to, &text).expect("a file");
        let to = to.display().to_string();

        // The plan can be looked at before anything is set. A run names what is missing.
        let shown = test(&["show", &to]).await;
        let (plan, stderr) = words(&shown);
        assert_eq!(shown.status.code(), Some(0), "{kind}: {stderr}");
        let mut sorted = needs.to_vec();
        sorted.sort_unstable();
        assert!(
            plan.contains(&format!("secrets   {}, from the environment", sorted.join(", "))),
            "{kind}: {plan}"
        );
        let run = ["run", &to, "--target", &server.url, "--scale", "0.05"];
        let unset = test(&[&run[..], &["--dry-run"]].concat()).await;
        assert_eq!(unset.status.code(), Some(2), "{kind}");
        assert!(
            words(&unset).1.contains("set TARGET_"),
            "{kind}: {}",
            words(&unset).1
        );
        assert!(server.take().is_empty(), "nothing was sent so far");

        let report = file(&format!("imported-{kind}.html"));
        let output = format!("-ohtml={}", report.display());
        let more = [
            "--threshold",
            "errors <= 0",
            "--threshold",
            "requests >= 2",
            &output,
        ];
        let ended = test_with(&[&run[..], &more].concat(), &VALUES).await;
        let (stdout, stderr) = words(&ended);
        // On a busy machine the generator may be late, which has nothing to do with what is sent.
        assert!(
            matches!(ended.status.code(), Some(0 | 3)) && stdout.contains("ok   errors <= 0"),
            "{kind}: {stdout}{stderr}"
        );
        let report = std::fs::read_to_string(&report).expect("the report is there");
        assert!(
            !format!("{stdout}{stderr}{report}").contains("s3cr3t"),
            "{kind}: {stdout}"
        );
        let arrived = server.take();
        assert!(arrived.len() >= 2, "{kind}: {}", arrived.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn show_says_what_a_file_will_do_and_everything_that_is_wrong_with_it() {
    let good = file("show-good.yaml");
    std::fs::write(
        &good,
        "load: {users: [{duration: 1m, at: 5}]}\njourneys: [{name: shopper, steps: [{get: /a, headers: {X-Key: '${KEY}'}}]}]\n",
    )
    .expect("a file");
    let (plan, stderr) = words(&test(&["show", &good.display().to_string()]).await);
    for part in [
        "up to 5 users for 1m",
        "journey   shopper",
        "GET /a",
        "secrets   KEY",
    ] {
        assert!(plan.contains(part), "{part}: {plan}{stderr}");
    }
    let bad = file("show-bad.yaml");
    std::fs::write(
        &bad,
        "load: {users: [{duration: 0s, at: 5}]}\njourneys: [{name: a, steps: [{get: a}]}]\n",
    )
    .expect("a file");
    for (name, problems) in [
        (
            bad.display().to_string(),
            &["load.users[0].duration", "steps[0].get"][..],
        ),
        ("/dev/zero".to_owned(), &["larger than 64 MiB"]),
        ("no-such-scenario".to_owned(), &["neither a scenario", "smoke"]),
    ] {
        let refused = test(&["show", &name]).await;
        let (_, stderr) = words(&refused);
        assert_eq!(refused.status.code(), Some(2), "{name}: {stderr}");
        assert!(
            problems.iter().all(|one| stderr.contains(one)),
            "{name}: {stderr}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_that_a_flag_names_is_read_without_end() {
    for flag in ["--header-file", "--body-file", "--cacert"] {
        let run = [
            "run",
            "http://127.0.0.1:9",
            "--rate=1",
            "--dry-run",
            flag,
            "/dev/zero",
        ];
        let refused = test(&run).await;
        let (_, stderr) = words(&refused);
        assert_eq!(refused.status.code(), Some(2), "{flag}: {stderr}");
        assert!(stderr.contains("larger than 64 MiB"), "{flag}: {stderr}");
    }
}
