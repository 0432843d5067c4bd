//! The example of a CI pipeline: vas accepts its command lines, and the files of its steps fit together.

use std::{collections::BTreeSet, path::Path, process::Output};

use serde_json::Value;

use support::{
    cluster::{root, run_dir},
    service::Server,
    vas,
};

fn steps() -> Vec<Value> {
    let file = root().join("docs/examples/github-load-test.yaml");
    let text = std::fs::read_to_string(file).expect("the example is there");
    let workflow: Value = serde_saphyr::from_str(&text).expect("the example is YAML");
    let steps = workflow["jobs"]["load-test"]["steps"].as_array();
    steps.expect("it has steps").clone()
}

/// The lines that call vas, split into words.
fn calls(target: &str) -> Vec<Vec<String>> {
    let steps = steps();
    let lines = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .flat_map(str::lines);
    let calls = lines.map(str::trim).filter(|line| line.starts_with("vas "));
    let words = |line: &str| {
        let line = line.replace("\"$TARGET\"", target);
        let command = line.split(" > ").next().unwrap_or_default();
        command.split_whitespace().skip(1).map(str::to_owned).collect()
    };
    calls.map(words).collect()
}

/// Runs vas in a folder, without blocking the server that runs in this process.
async fn vas_in(folder: &Path, args: &[String]) -> Output {
    let mut command = std::process::Command::new(vas::binary());
    command.args(args).current_dir(folder);
    let run = move || command.output().expect("vas starts");
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_for_github_runs_vas_as_it_is() {
    let server = Server::start(None).await;
    let folder = run_dir().join("pipeline");
    std::fs::create_dir_all(folder.join("baseline")).expect("a folder");
    let mut subcommands = BTreeSet::new();
    for mut call in calls(&server.url()) {
        subcommands.insert(call[1].clone());
        if call[1] == "run" {
            let mut dry = call.clone();
            dry.push("--dry-run".to_owned());
            let output = vas_in(&folder, &dry).await;
            assert!(output.status.success(), "{dry:?}: {output:?}");
            // The stages run in a few seconds, so that later steps have their files.
            call.extend(["--scale=0.012", "--scale-load=0.1", "-q"].map(str::to_owned));
        }
        let output = vas_in(&folder, &call).await;
        let code = output.status.code();
        // The speed depends on this machine, so several exit codes are accepted.
        assert!(matches!(code, Some(0 | 3 | 99)), "{call:?}: {output:?}");
        for report in ["json", "xml", "md"].map(|kind| folder.join(format!("load.{kind}"))) {
            if subcommands.contains("run") && call[2] == "load" {
                assert!(report.is_file(), "{} is missing", report.display());
            }
        }
        if call[2] == "load" {
            std::fs::copy(folder.join("load.json"), folder.join("baseline/load.json")).expect("a baseline");
        }
    }
    assert_eq!(subcommands, BTreeSet::from(["compare", "run"].map(str::to_owned)));
}

#[test]
fn every_step_does_something_and_reports_are_kept_whatever_happened() {
    let steps = steps();
    for step in &steps {
        let does = step["run"].is_string() || step["uses"].is_string();
        assert!(does, "{step}");
    }
    let kept = steps.last().expect("steps");
    assert_eq!(kept["if"], "always()");
    let path = kept["with"]["path"].as_str().expect("files");
    assert_eq!(path.split('\n').collect::<Vec<_>>(), ["*.json", "*.xml", "*.md"]);
}
