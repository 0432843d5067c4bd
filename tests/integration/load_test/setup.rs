//! What is done once before the load and after it, at a server that refuses what does not belong to it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    catcher::{Answer, Arrived, Catcher, answer},
    command::{file, read, test_with, words},
    inputs::scenario,
};

const TOKEN: &str = "token-of-the-setup-8152";
const ENVIRONMENT: [(&str, &str); 1] = [("SHOP_PASSWORD", "password-of-the-shop-77")];

/// A shop with one product between its creation and its removal.
fn shop() -> impl Fn(&Arrived) -> Answer {
    let exists = AtomicBool::new(false);
    move |request| {
        let is_authorized = request.header("authorization") == format!("Bearer {TOKEN}");
        match (request.method.as_str(), request.place()) {
            ("POST", "/login") if request.body.contains(ENVIRONMENT[0].1) => {
                answer(200, format!(r#"{{"token": "{TOKEN}"}}"#))
            }
            ("POST", "/products") if is_authorized => {
                exists.store(true, Ordering::Relaxed);
                answer(201, r#"{"id": 4711}"#)
            }
            ("DELETE", "/products/4711") if is_authorized => {
                exists.store(false, Ordering::Relaxed);
                answer(204, "")
            }
            ("GET", "/products/4711") if is_authorized && exists.load(Ordering::Relaxed) => {
                answer(200, format!(r#"{{"seen": "{TOKEN}"}}"#))
            }
            _ => answer(403, format!("refused, {TOKEN}")),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setup_is_done_once_for_all_users_and_is_in_no_figure() {
    let server = Catcher::answering(shop()).await;
    let reports =
        ["json", "html", "junit", "md", "hgrm"].map(|format| (format, file(&format!("setup.{format}"))));
    let outputs: Vec<String> = reports
        .iter()
        .map(|(format, file)| format!("--output={format}={}", file.display()))
        .collect();
    let scenario = scenario("setup.yaml");
    let mut run = vec!["run", &scenario, "--target", &server.url];
    run.extend(outputs.iter().map(String::as_str));
    let ended = test_with(&run, &ENVIRONMENT).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    let arrived = server.take();
    let count = |method: &str| arrived.iter().filter(|one| one.method == method).count();
    assert_eq!(["POST", "GET", "DELETE"].map(count), [2, 20, 1]);
    assert_eq!(arrived[0].place(), "/login");
    assert_eq!(arrived.last().map(|one| one.method.as_str()), Some("DELETE"));
    let json = std::fs::read_to_string(&reports[0].1).expect("the report is there");
    let report: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(report["summary"]["requests"], 20, "{json}");
    assert_eq!(report["summary"]["errors"], 0, "{json}");
    let steps: Vec<&String> = report["steps"].as_object().expect("the steps").keys().collect();
    assert_eq!(steps, ["look"]);
    for (_, file) in &reports {
        let text = std::fs::read_to_string(file).expect("the report is there");
        assert!(
            !text.contains(TOKEN) && !text.contains(ENVIRONMENT[0].1),
            "{}",
            file.display()
        );
    }
    assert!(
        !stdout.contains(TOKEN) && !stderr.contains(TOKEN),
        "{stdout}{stderr}"
    );
    let (plan, _) = words(&test_with(&[&run[..4], &["--dry-run"]].concat(), &ENVIRONMENT).await);
    for words in [
        "setup     - log in (once, outside of the load and its figures)",
        "          - create a product (once",
        "teardown  - remove the product (once",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    assert!(server.take().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_setup_ends_the_run_before_the_load() {
    let server = Catcher::answering(|request: &Arrived| match request.place() {
        "/login" => answer(200, format!(r#"{{"token": "{TOKEN}"}}"#)),
        _ => answer(503, ""),
    })
    .await;
    let report = file("no-setup.json");
    let output = format!("--output=json={}", report.display());
    let run = ["run", &scenario("setup.yaml"), "--target", &server.url, &output];
    let ended = test_with(&run, &ENVIRONMENT).await;
    let (stdout, stderr) = words(&ended);
    assert_eq!(ended.status.code(), Some(4), "{stdout}{stderr}");
    assert!(
        stderr.contains("setup: step \"create a product\": status 503; the load was not begun"),
        "{stderr}"
    );
    let arrived = server.take();
    assert_eq!(arrived.len(), 2, "{arrived:?}");
    assert!(!report.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_sends_back_of_a_value_of_the_setup_is_masked() {
    let server = Catcher::answering(shop()).await;
    let text = std::fs::read_to_string(scenario("setup.yaml")).expect("the scenario");
    let (changed, report) = (file("setup-masked.yaml"), file("setup-masked.json"));
    let get = "/products/{{product}}?for={{token}}\"";
    let with_check = text.replace(get, &format!("{get}, checks: [\"json /seen == another\"]"));
    assert_ne!(text, with_check);
    std::fs::write(&changed, with_check).expect("a file");
    let output = format!("--output=json={}", report.display());
    let changed = changed.to_string_lossy();
    let ended = test_with(&["run", &changed, "--target", &server.url, &output], &ENVIRONMENT).await;
    let (stdout, stderr) = words(&ended);
    let json = read(&report);
    assert_eq!(
        json["steps"]["look"]["examples"]["check: not json /seen == another"], "***",
        "{json}"
    );
    let shown = format!("{stdout}{stderr}{json}");
    assert!(!shown.contains(TOKEN), "{shown}");
}
