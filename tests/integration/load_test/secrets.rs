//! Credentials in a target's URL are sent to the service and shown nowhere.

use support::service::Server;

use super::command::{file, test, words};

const PASSWORD: &str = "pass-4711";
/// `user:pass-4711` in base64.
const ENCODED: &str = "dXNlcjpwYXNzLTQ3MTE";

#[track_caller]
fn hidden(place: &str, text: &str) {
    assert!(
        !text.contains(PASSWORD) && !text.contains(ENCODED),
        "{place}: {text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_of_the_target_are_in_no_output_report_or_error() {
    let server = Server::start(None).await;
    let url = format!("http://user:{PASSWORD}@{}/?a=b", server.address);
    let formats = ["html", "json", "junit", "md", "hgrm"];
    let files = formats.map(|format| file(&format!("secret.{format}")));
    let outputs: Vec<String> = formats
        .iter()
        .zip(&files)
        .map(|(format, file)| format!("--output={format}={}", file.display()))
        .collect();
    let mut run = vec!["run", "--target", &url, "--rate", "20", "--duration", "1s"];
    run.extend(outputs.iter().map(String::as_str));
    let output = test(&run).await;
    let (stdout, stderr) = words(&output);
    assert!(
        stdout.contains(&format!("http://***@{}/?a=b", server.address)),
        "{stdout}{stderr}"
    );
    hidden("output", &format!("{stdout}{stderr}"));
    for file in &files {
        let report = std::fs::read_to_string(file).expect("the report is there");
        hidden(&file.display().to_string(), &report);
    }
    let (plan, _) = words(&test(&[&run[..7], &["--dry-run"]].concat()).await);
    assert!(plan.contains("http://***@"), "{plan}");
    hidden("plan", &plan);
    for wrong in [
        format!("http://user:{PASSWORD}@ho st/"),
        format!("ftp://user:{PASSWORD}@host/"),
        format!("user:{PASSWORD}@host"),
        format!("http://us%3Aer:{PASSWORD}@host"),
    ] {
        let output = test(&["run", "--target", &wrong, "--rate", "1"]).await;
        let (stdout, stderr) = words(&output);
        assert_eq!(output.status.code(), Some(2), "{stdout}{stderr}");
        hidden(&wrong, &stderr);
    }
}
