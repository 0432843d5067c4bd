//! Several loads side by side, requests in parallel and another host, at servers that refuse what is not theirs.

use super::{
    answers::with,
    catcher::{Answer, Arrived, Catcher, answer, fields},
    command::{file, read, test, words},
    inputs::scenario,
};

fn shop(request: &Arrived) -> Answer {
    let visitor = request.header("x-visitor");
    let ordered = request.header("authorization").starts_with("Bearer token-of-");
    let known = match (request.method.as_str(), request.place()) {
        ("GET", "/page") if !visitor.is_empty() => return with(answer(200, ""), &[("etag", "v 7")]),
        ("GET", "/style.css") => request.query().remove("v").as_deref() == Some("v 7"),
        ("GET", "/script.js") => !visitor.is_empty(),
        ("GET", "/prices") if !visitor.is_empty() => return answer(200, r#"{"lamp": 12}"#),
        ("POST", "/orders") if ordered && request.header("x-shop") == "lamps" => return answer(201, ""),
        _ => false,
    };
    // The header of the flag is for the target.
    let flagged = request.header("x-flag") == "1";
    answer(if known && flagged { 200 } else { 403 }, "")
}

fn auth(request: &Arrived) -> Answer {
    // Those of the flag and of the journey.
    let of_target = ["x-flag", "x-shop"].map(|name| request.header(name));
    match (request.method.as_str(), request.place()) {
        ("POST", "/v2/token") if of_target == ["", ""] && request.header("authorization").is_empty() => {
            let client = fields(&request.body).remove("client").unwrap_or_default();
            answer(200, format!(r#"{{"token": "token-of-{client}"}}"#))
        }
        ("GET", "/v2/receipt") if request.header("authorization").starts_with("Bearer token-of-") => {
            answer(200, "")
        }
        _ => answer(403, ""),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_side_by_side_send_batches_and_reach_another_host() {
    let (shop, auth) = (Catcher::answering(shop).await, Catcher::answering(auth).await);
    let (site, json) = (scenario("site.yaml"), file("site.json"));
    let (host, output) = (
        format!("auth={}/v2", auth.url),
        format!("json={}", json.display()),
    );
    let run = [
        "run",
        &site,
        "--target",
        &shop.url,
        "--host",
        &host,
        "-H",
        "X-Flag: 1",
        "-o",
        &output,
    ];
    let ended = test(&run).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    let report = read(&json);
    let answered = |step: &str| report["steps"][step]["answered"].as_u64();
    for step in ["page", "style", "script", "prices"] {
        assert_eq!(answered(step), Some(6), "{step}: {report:#}");
    }
    for step in ["token", "order", "receipt"] {
        assert_eq!(answered(step), Some(10), "{step}: {report:#}");
    }
    let (of_shop, of_auth) = (shop.take().len(), auth.take().len());
    assert_eq!((of_shop, of_auth), (4 * 6 + 10, 2 * 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plan_names_the_loads_and_the_hosts_and_a_wrong_host_is_named_without_its_secrets() {
    let (site, target) = (scenario("site.yaml"), "http://127.0.0.1:9");
    let run = |flags: &[&'static str]| {
        let all = [["run", &site, "--target", target, "--dry-run"].as_slice(), flags].concat();
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        async move { words(&test(&all.iter().map(String::as_str).collect::<Vec<_>>()).await) }
    };
    let (plan, stderr) = run(&["--host", "auth=http://me:s3cret@127.0.0.1:8"]).await;
    for words in [
        "hosts     auth: http://***@127.0.0.1:8\n",
        "load      browsing: up to 2 users for 4s;",
        "its users end 6 journeys in all\n",
        "load      orders: up to 5 journeys a second for 3s, 10 in all",
        "journey   browse (100% of the users of browsing)",
        "journey   order (100% of the users of orders)",
        "- style (GET, at once with 2 beside it)",
    ] {
        assert!(plan.contains(words), "{words}: {plan}{stderr}");
    }
    assert!(!plan.contains("s3cret"), "{plan}");
    for (host, words) in [
        (
            "files=http://127.0.0.1:8",
            "--host files: scenario site has no host of this name: it has auth",
        ),
        ("auth=me:s3cret@h", "--host auth: must be a URL such as"),
        ("auth", "--host auth: must be a URL such as"),
    ] {
        let (_, stderr) = run(&["--host", host]).await;
        assert!(
            stderr.contains(words) && !stderr.contains("s3cret"),
            "{host}: {stderr}"
        );
    }
    // A run without a scenario has no host besides its target.
    let quick = [
        "run",
        target,
        "--rate",
        "1",
        "--host",
        "auth=http://127.0.0.1:8",
        "--dry-run",
    ];
    let (_, stderr) = words(&test(&quick).await);
    let named = "--host auth: scenario quick has no host of this name";
    assert!(stderr.contains(named), "{stderr}");
}
