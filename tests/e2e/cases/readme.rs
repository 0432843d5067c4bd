//! The README's install, word by word, on a cluster where nothing of vas is left; and that what runs then is what was shipped.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;
use support::{
    chart,
    cluster::{bin, root, run_dir},
};

use crate::{
    images,
    stage::{INSTALLED, NAMESPACE, Stage},
};

/// Longest time of a command of the README.
const LONGEST: Duration = Duration::from_secs(300);

/// Uninstalls the chart as docs/install.md says, types what the README says, and compares the behaviour of both HPAs with
/// the file that was applied.
pub(crate) async fn word_by_word(stage: &Stage) -> String {
    stage.at_rest().await;
    uninstall(stage);
    let commands = commands();
    assert!(commands.len() > 4, "{commands:?}");
    for command in &commands {
        tokio::task::block_in_place(|| type_in(stage, command));
    }
    stage.apply_voiceassist();
    stage.rolled_out(NAMESPACE, "queue");
    stage.scaled_to_the_fewest().await;
    let shipped = compare_behaviour(stage);
    format!(
        "{} commands; both HPAs have every metric, and behave as shipped: {shipped}",
        commands.len()
    )
}

/// In the order of the documentation: resources, APIs, release; and then what a new user does not have either.
fn uninstall(stage: &Stage) {
    let cluster = &stage.cluster;
    cluster.kubectl_ok(
        &["delete", "voiceassistscalings", "--all", "--all-namespaces"],
        None,
    );
    stage.vas_ok(&["unregister"]);
    chart::run_ok(cluster, &["uninstall", chart::RELEASE, "-n", INSTALLED, "--wait"]);
    cluster.kubectl_ok(&["delete", "crd", support::cluster::CRD], None);
    let namespaces = ["delete", "namespace", INSTALLED, NAMESPACE, "--timeout=180s"];
    tokio::task::block_in_place(|| cluster.kubectl_ok(&namespaces, None));
}

/// The commands of the first block of the section.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let (_, section) = readme.split_once("\n## Install\n").expect("the section");
    let (_, block) = section.split_once("```sh\n").expect("its block");
    let (block, _) = block.split_once("```").expect("the end of the block");
    block.lines().map(str::to_owned).collect()
}

/// Runs a command in a shell whose only programs of ours are kubectl and vas.
fn type_in(stage: &Stage, command: &str) {
    let programs = run_dir().join("programs");
    let _ = std::fs::create_dir_all(&programs);
    for (name, program) in [("kubectl", bin("kubectl")), ("vas", images::vas_program())] {
        link(&program, &programs.join(name));
    }
    let path = format!("{}:/usr/bin:/bin", programs.display());
    let seconds = LONGEST.as_secs().to_string();
    let mut shell = Command::new("timeout");
    shell.args([&seconds, "sh", "-ec", command]).current_dir(root());
    shell
        .env("PATH", path)
        .env("KUBECONFIG", stage.cluster.kubeconfig());
    let output = shell.output().expect("the shell starts");
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    assert!(output.status.success(), "{command}: {}: {words}", output.status);
}

fn link(program: &Path, name: &Path) {
    let _ = std::fs::remove_file(name);
    std::os::unix::fs::symlink(program, name).expect("a link");
}

/// Compares what the API server has with the file, and says it for the first workload.
fn compare_behaviour(stage: &Stage) -> String {
    let file = root().join("manifests/voiceassist/voiceassistscaling.yaml");
    let file = std::fs::read_to_string(file).expect("the shipped resource");
    let shipped: Value = serde_saphyr::from_str(&file).expect("it is YAML");
    let workloads = shipped["spec"]["workloads"].as_array().expect("workloads");
    for workload in workloads {
        let name = workload["name"].as_str().expect("a name");
        let hpa = stage.get(NAMESPACE, &format!("hpa/voiceassist-{name}"));
        let live = &hpa["spec"]["behavior"];
        let wanted = &workload["behavior"];
        contains(live, wanted, &format!("behavior of {name}"));
    }
    workloads[0]["behavior"]["scaleDown"].to_string()
}

/// Panics unless all that is wanted is there; the API server adds what was left out.
fn contains(live: &Value, wanted: &Value, what: &str) {
    match wanted {
        Value::Object(fields) => {
            for (name, wanted) in fields {
                contains(&live[name], wanted, &format!("{what}.{name}"));
            }
        }
        Value::Array(items) => {
            let lengths = (live.as_array().map_or(0, Vec::len), items.len());
            assert_eq!(lengths.0, lengths.1, "{what}: {live}");
            for (index, wanted) in items.iter().enumerate() {
                contains(&live[index], wanted, &format!("{what}[{index}]"));
            }
        }
        wanted => assert_eq!(live, wanted, "{what}"),
    }
}
