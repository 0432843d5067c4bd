//! Scenario files from the command line: `vas test list`, `show`, `schema` and `run --dry-run`. Nothing is
//! sent.

use std::path::PathBuf;

use serde_json::Value;

use support::{
    cluster::{root, run_dir},
    vas::run,
};

const TARGET: [&str; 3] = ["--target", "http://127.0.0.1:9", "--dry-run"];

fn scratch() -> PathBuf {
    let folder = run_dir().join("scenarios");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn stdout(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn plan(scenario: &str, more: &[&str]) -> String {
    let mut args = vec!["test", "run", scenario];
    args.extend(TARGET);
    args.extend(more);
    stdout(&args)
}

fn listed() -> Vec<String> {
    let list: Value = serde_json::from_str(&stdout(&["test", "list", "-o", "json"])).unwrap();
    let names = list["scenarios"].as_array().unwrap().iter();
    names
        .map(|scenario| scenario["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_checked_in_schemas_are_those_of_the_types() {
    for of in ["scenario", "report"] {
        let file = format!("docs/{of}.schema.json");
        let checked_in = std::fs::read_to_string(root().join(&file)).unwrap();
        assert!(
            stdout(&["test", "schema", of]) == checked_in,
            "{file} is out of date: run `make generate`"
        );
    }
    assert_eq!(
        stdout(&["test", "schema"]),
        stdout(&["test", "schema", "scenario"])
    );
}

#[test]
fn what_is_shown_can_be_saved_and_planned_as_it_is() {
    let folder = scratch();
    let names = listed();
    assert_eq!(names.len(), 15);
    for name in names {
        let file = folder.join(format!("{name}.yaml"));
        std::fs::write(&file, stdout(&["test", "show", &name])).unwrap();
        assert_eq!(plan(&file.to_string_lossy(), &[]), plan(&name, &[]));
    }
}

#[test]
fn the_list_shows_every_scenario_and_suite() {
    let text = stdout(&["test", "list"]);
    for name in listed().iter().map(String::as_str).chain(["quick", "all"]) {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}\n{text}");
    }
}

#[test]
fn a_plan_says_what_comes_and_a_scale_shortens_it() {
    let whole = plan("stress", &[]);
    assert!(whole.contains("up to 500 users for 22m"), "{whole}");
    assert!(whole.contains("ends      after 22m"), "{whole}");
    let short = plan("stress", &["--scale", "0.1", "--scale-load", "0.5"]);
    assert!(short.contains("up to 250 users for 2m12s"), "{short}");
    let suite = plan("quick", &[]);
    assert!(suite.contains("smoke: ") && suite.contains("load: "), "{suite}");
}

#[test]
fn a_file_with_mistakes_is_refused_with_all_of_them() {
    let file = scratch().join("mistakes.yaml");
    let text = "timeout: 5\nlaod: {}\nload: {rate: [{duration: 1s, at: x}]}\njourneys: [{steps: []}]\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_string_lossy();
    let output = run(&[
        "test",
        "run",
        &path,
        "--target",
        "http://127.0.0.1:9",
        "--dry-run",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for expected in [
        "laod: unknown field; did you mean load?",
        "load.rate[0].at: \"x\" must be a number",
        "timeout: 5 must be a string",
        "journeys[0].name: is required",
    ] {
        assert!(stderr.contains(expected), "{expected}\n{stderr}");
    }
}

#[test]
fn a_trace_stands_beside_its_scenario() {
    let folder = scratch();
    std::fs::write(folder.join("day.csv"), "seconds,level\n0,10\n30,20\n60,0\n").unwrap();
    let file = folder.join("replay.yaml");
    let text = "load: {rate: [{trace: day.csv}]}\njourneys: [{name: a, steps: [{get: /}]}]\n";
    std::fs::write(&file, text).unwrap();
    let plan = plan(&file.to_string_lossy(), &[]);
    assert!(plan.contains("requests  900, if no step fails"), "{plan}");
}

#[test]
fn the_first_minutes_end_in_a_plan_or_with_the_flag_that_is_missing() {
    let file = scratch().join("first-minutes.yaml");
    std::fs::write(
        &file,
        "load: {rate: [{duration: 1s, at: 5}]}\njourneys: [{name: a, steps: [{get: '/a<b>'}]}]\n",
    )
    .unwrap();
    let (file, url) = (file.display().to_string(), "http://127.0.0.1:9/health");
    let planned = stdout(&["test", "run", url, "--rate", "5", "--dry-run"]);
    assert!(
        planned.contains("target    http://127.0.0.1:9/health"),
        "{planned}"
    );
    for (args, words) in [
        (&[url][..], "error: how much load is not known: give --rate"),
        (&[file.as_str(), TARGET[0], TARGET[1]][..], "write %3C for '<'"),
        (
            &[
                "smoke",
                TARGET[0],
                TARGET[1],
                "--threshold",
                "step none: errors < 1%",
            ][..],
            "no step is called \"none\"",
        ),
    ] {
        let output = run(&[&["test", "run", "--dry-run"][..], args].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(words), "{args:?}: {stderr}");
    }
}

#[test]
fn what_is_imported_is_planned_as_it_is_and_what_is_not_is_said() {
    let recording = r#"{"log": {"entries": [
        {"request": {"method": "GET", "url": "http://127.0.0.1:9/shop?page=1"}, "response": {"status": 200}},
        {"request": {"method": "GET", "url": "http://other.example/"}, "response": {"status": 200}}
    ]}}"#;
    let description = "openapi: 3.0.3\nservers: [{url: 'http://127.0.0.1:9/api'}]\npaths:\n  /items: {get: {operationId: items}}\n";
    let collection =
        r#"{"info": {"name": "Shop"}, "item": [{"name": "list", "request": "http://127.0.0.1:9/items"}]}"#;
    let options = r#"{"stages": [{"duration": "5s", "target": 7}], "thresholds": {"http_req_duration": ["p(95)<250"]}}"#;
    for (kind, text, code, said, planned) in [
        (
            "har",
            recording,
            1,
            "http://other.example/: http://other.example is another host",
            "GET /shop?page=1",
        ),
        ("openapi", description, 0, "1 steps, 0 parts left out", "items"),
        ("postman", collection, 0, "1 steps, 0 parts left out", "list"),
        (
            "k6-options",
            options,
            0,
            "to do: write the steps",
            "latency p95 < 250ms",
        ),
    ] {
        let (from, to) = (scratch().join(kind), scratch().join(format!("{kind}.yaml")));
        std::fs::write(&from, text).unwrap();
        let output = run(&["test", "import", kind, &from.to_string_lossy()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{kind}: {stderr}");
        assert!(stderr.contains(said), "{kind}: {stderr}");
        std::fs::write(&to, output.stdout).unwrap();
        let plan = plan(&to.to_string_lossy(), &[]);
        assert!(plan.contains(planned), "{kind}: {plan}");
    }
    let output = run(&[
        "test",
        "import",
        "har",
        &root().join("Cargo.toml").to_string_lossy(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
}
