//! The decisions of the real controller, recorded by `tests/cluster/hpa/record.sh`, against those of one sync here.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Memory, read, run};

/// One sync of the controller: what it read and remembered, and what came of it.
#[derive(Deserialize)]
struct Line {
    document: Value,
    decision: Decision,
}

#[derive(Deserialize)]
struct Decision {
    desired: i32,
    conditions: Vec<Value>,
    state: Memory,
}

/// The syncs of a file that come out differently here, and how many there are in all.
fn differing(file: File) -> (Vec<String>, usize) {
    let mut differing = Vec::new();
    let mut all = 0;
    for line in BufReader::new(file).lines() {
        all += 1;
        let text = line.unwrap();
        let line: Line = serde_json::from_str(&text).unwrap();
        let document = read(line.document).unwrap();
        let report = run(&document, Timestamp::UNIX_EPOCH).unwrap();
        let mut expected = line.decision.conditions;
        let mut conditions: Vec<Value> = report
            .conditions
            .iter()
            .map(|condition| serde_json::to_value(condition).unwrap())
            .collect();
        expected.sort_by_key(Value::to_string);
        conditions.sort_by_key(Value::to_string);
        let here = (report.desired, conditions, report.state);
        let there = (line.decision.desired, expected, line.decision.state);
        if here != there {
            differing.push(format!("here  {here:?}\nthere {there:?}\n{text}\n"));
        }
    }
    (differing, all)
}

fn hold(file: &Path) -> usize {
    let (differing, all) = differing(File::open(file).unwrap());
    let shown: String = differing.iter().take(3).map(String::as_str).collect();
    assert!(
        differing.is_empty(),
        "{} of {all} syncs differ\n{shown}",
        differing.len()
    );
    all
}

#[test]
fn every_recorded_sync_of_the_real_controller_comes_out_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(hold(&root.join("tests/golden/hpa-syncs.jsonl")) > 50);
    // Many more, of `make hpa-syncs`.
    let many = root.join("target/hpa/syncs.jsonl");
    if many.exists() {
        hold(&many);
    }
}
