//! Runs without a scenario: what arrives at the server is what the flags say.

use std::time::Duration;

use super::{
    catcher::Catcher,
    command::{file, read, test, valid_test, words},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn method_body_headers_and_status_are_those_of_the_flags() {
    let server = Catcher::start(201).await;
    let (body, secret, json) = (file("body.txt"), file("headers.txt"), file("quick-put.json"));
    std::fs::write(&body, "line one\nline two\n").expect("a file");
    std::fs::write(
        &secret,
        "# comment\n\nAuthorization: Bearer s3cr3t\nx-tenant: file\n",
    )
    .expect("a file");
    let url = format!("{}/items?a=b", server.url);
    let data = format!("@{}", body.display());
    let (secret, output) = (secret.display().to_string(), format!("json={}", json.display()));
    let put = [
        "run",
        &url,
        "-X",
        "put",
        "-d",
        &data,
        "--header-file",
        &secret,
        "-H",
        "x-tenant: flag",
    ];
    let more = [
        "-H",
        "content-type: text/plain",
        "--expect-status",
        "201,202",
        "--rate",
        "20",
        "--requests",
        "7",
    ];
    let ended = valid_test(&[&put[..], &more, &["-o", &output]].concat()).await;
    let (stdout, stderr) = words(&ended);
    assert_eq!(ended.status.code(), Some(0), "{stdout}{stderr}");
    let arrived = server.take();
    // A run that proved nothing, as on a busy machine, was repeated.
    assert!(!arrived.is_empty() && arrived.len() % 7 == 0, "{}", arrived.len());
    for one in &arrived {
        assert_eq!(
            (one.method.as_str(), one.path.as_str(), one.body.as_str()),
            ("PUT", "/items?a=b", "line one\nline two\n")
        );
        assert_eq!(
            (
                one.header("authorization"),
                one.header("x-tenant"),
                one.header("content-type")
            ),
            ("Bearer s3cr3t", "flag", "text/plain")
        );
    }
    let report = read(&json).to_string();
    for text in [&stdout, &stderr, &report] {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    assert_eq!(read(&json)["summary"]["requests"], 7);

    let missed = valid_test(&[
        "run",
        &url,
        "--expect-status",
        "200",
        "--rate",
        "20",
        "--requests",
        "3",
    ])
    .await;
    assert_eq!(missed.status.code(), Some(99), "{:?}", words(&missed));
    assert!(
        server
            .take()
            .iter()
            .all(|one| one.method == "GET" && one.body.is_empty())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_alone_is_a_post_of_json_and_head_has_no_answer_to_read() {
    let server = Catcher::start(200).await;
    let body = file("body.json");
    std::fs::write(&body, r#"{"a": "{{b}}"}"#).expect("a file");
    let body = body.display().to_string();
    for (flags, method, sent, kind) in [
        (&["--data", "{}"][..], "POST", "{}", "application/json"),
        (
            &["--body-file", &body][..],
            "POST",
            r#"{"a": "{{b}}"}"#,
            "application/json",
        ),
        (&["--method", "HEAD"][..], "HEAD", "", ""),
        (&["--request", "options"][..], "OPTIONS", "", ""),
    ] {
        let run = ["run", &server.url, "--rate", "20", "--requests", "2"];
        let ended = valid_test(&[&run[..], flags].concat()).await;
        assert_eq!(ended.status.code(), Some(0), "{flags:?}: {:?}", words(&ended));
        let arrived = server.take();
        assert!(!arrived.is_empty(), "{flags:?}");
        for one in arrived {
            assert_eq!(
                (one.method.as_str(), one.body.as_str()),
                (method, sent),
                "{flags:?}"
            );
            assert_eq!(one.header("content-type"), kind, "{flags:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_come_is_waited_for_as_long_as_the_flag_says() {
    let server = Catcher::start(200).await;
    let url = format!("{}/hang", server.url);
    let ended = valid_test(&[
        "run",
        &url,
        "--rate",
        "10",
        "--requests",
        "4",
        "--timeout",
        "300ms",
    ])
    .await;
    let (stdout, _) = words(&ended);
    assert_eq!(ended.status.code(), Some(99), "{stdout}");
    assert!(stdout.contains("none within 300 ms"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ramp_comes_before_the_time_at_the_level() {
    let server = Catcher::start(200).await;
    let json = file("quick-ramp.json");
    let output = format!("json={}", json.display());
    let run = [
        "run",
        &server.url,
        "--rate",
        "40",
        "--ramp",
        "1s",
        "--duration",
        "1s",
        "-o",
        &output,
    ];
    let ended = valid_test(&run).await;
    assert_eq!(ended.status.code(), Some(0), "{:?}", words(&ended));
    // 20 become due during the ramp, and 40 after it.
    assert_eq!(read(&json)["summary"]["requests"], 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_stop_after_the_number_of_requests() {
    let server = Catcher::start(200).await;
    let json = file("quick-requests.json");
    let output = format!("json={}", json.display());
    let run = [
        "run",
        &server.url,
        "--users",
        "5",
        "--requests",
        "123",
        "-o",
        &output,
    ];
    let ended = test(&run).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    assert_eq!(server.take().len(), 123);
    let report = read(&json);
    assert_eq!(report["summary"]["requests"], 123);
    assert_eq!(report["run"]["end"], "completed");
    let thirty = Duration::from_secs(30).as_secs_f64();
    assert!(
        report["run"]["elapsed_seconds"]
            .as_f64()
            .is_none_or(|seconds| seconds < thirty)
    );

    let both = test(&[
        "run",
        &server.url,
        "--rate",
        "5",
        "--requests",
        "5",
        "--duration",
        "5s",
    ])
    .await;
    assert_eq!(both.status.code(), Some(2), "{:?}", words(&both));
    assert!(
        words(&both).1.contains("leave one of them out"),
        "{:?}",
        words(&both)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_file_has_the_same_words() {
    let server = Catcher::start(200).await;
    let (scenario, body) = (file("same-words.yaml"), file("same-words.txt"));
    std::fs::write(&body, "from a file {{user}}\n").expect("a file");
    let text = format!(
        "load: {{users: [{{duration: 1m, at: 2}}], iterations: 6}}\njourneys:\n- name: a\n  steps:\n  - {{head: /h}}\n  - {{options: /o}}\n  - {{post: /p, bodyFile: {}}}\n",
        body.file_name().expect("a name").to_string_lossy()
    );
    std::fs::write(&scenario, text).expect("a file");
    let run = ["run", &scenario.display().to_string(), "--target", &server.url];
    let ended = test(&run).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    let arrived = server.take();
    let count = |method: &str, path: &str| {
        arrived
            .iter()
            .filter(|one| one.method == method && one.path == path)
            .count()
    };
    assert_eq!(
        (count("HEAD", "/h"), count("OPTIONS", "/o"), count("POST", "/p")),
        (6, 6, 6)
    );
    let posts = arrived.iter().filter(|one| one.method == "POST");
    assert!(posts.into_iter().all(|one| one.body == "from a file {{user}}\n"));
}
