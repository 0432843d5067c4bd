//! Scheduled load tests: their rights, and that vas and a real API server accept them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

use super::installation;
use support::{
    cluster::{root, run_dir},
    kustomization::Kustomization,
    vas,
};

const FOLDER: &str = "manifests/load-tests";
/// Names of the tests, each with the seconds of its longest run: the stages of its scenario.
const TESTS: [(&str, u64); 4] = [
    ("smoke", 60),
    ("load", 540),
    ("stress", 1320),
    ("endurance", 1800),
];

fn job(rendered: &Kustomization, name: &str) -> Value {
    let job = rendered.find("CronJob", &format!("load-test-{name}"));
    job.unwrap_or_else(|| panic!("no CronJob for {name}")).clone()
}

/// The arguments of its container, with the variables of its environment from the rendered ConfigMap.
fn arguments(rendered: &Kustomization, name: &str) -> Vec<String> {
    let job = job(rendered, name);
    let container = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    let mut variables = BTreeMap::new();
    for variable in container["env"].as_array().expect("variables") {
        let from = &variable["valueFrom"]["configMapKeyRef"];
        let map = rendered
            .find("ConfigMap", from["name"].as_str().expect("a name"))
            .expect("the ConfigMap is rendered under the name that the pods use");
        let value = map["data"][from["key"].as_str().expect("a key")].as_str();
        variables.insert(
            variable["name"].as_str().expect("a name").to_owned(),
            value.expect("a value").to_owned(),
        );
    }
    let arguments = container["args"].as_array().expect("arguments");
    let resolve = |argument: &Value| {
        let argument = argument.as_str().expect("a word").to_owned();
        variables.iter().fold(argument, |argument, (name, value)| {
            argument.replace(&format!("$({name})"), value)
        })
    };
    arguments.iter().map(resolve).collect()
}

fn dry_run(arguments: &[String]) -> String {
    let mut words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    words.push("--dry-run");
    let output = vas::run(&words);
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{words:?}: {stdout}{stderr}");
    stdout.into_owned()
}

#[test]
fn each_command_line_is_one_that_vas_takes() {
    let rendered = Kustomization::render(FOLDER);
    for (name, _) in TESTS {
        let plan = dry_run(&arguments(&rendered, name));
        assert!(plan.starts_with(&format!("{name}: ")), "{plan}");
        assert!(plan.contains("https://voiceassist.example"), "{plan}");
    }
    assert_eq!(rendered.of_kind("CronJob").count(), TESTS.len());
}

#[test]
fn jobs_do_not_overlap_are_not_repeated_and_end() {
    let rendered = Kustomization::render(FOLDER);
    let mut schedules = BTreeMap::new();
    for (name, seconds) in TESTS {
        let spec = job(&rendered, name)["spec"].clone();
        assert_eq!(spec["concurrencyPolicy"], "Forbid", "{name}");
        let job = &spec["jobTemplate"]["spec"];
        assert_eq!(job["backoffLimit"], 0, "{name}");
        let deadline = job["activeDeadlineSeconds"].as_u64().expect("a deadline");
        // The deadline must also cover pulling the image.
        assert!(
            (seconds + 120..=seconds + 1200).contains(&deadline),
            "{name} ends after {deadline} s"
        );
        schedules.insert(name, spec["schedule"].as_str().expect("a schedule").to_owned());
    }
    let every = |name: &str| {
        let fields: Vec<&str> = schedules[name].split(' ').skip(2).collect();
        fields.iter().map(|field| *field != "*").collect::<Vec<_>>()
    };
    assert_eq!(every("smoke"), [false, false, false], "daily");
    assert_eq!(every("load"), [false, false, true], "weekly");
    assert_eq!(every("stress"), [true, false, false], "monthly");
    assert_eq!(every("endurance"), [true, false, false], "monthly");
    let times: std::collections::BTreeSet<&String> = schedules.values().collect();
    assert_eq!(times.len(), TESTS.len(), "two at the same time: {schedules:?}");
}

#[test]
fn pods_are_restricted_and_their_account_has_no_rights() {
    let rendered = Kustomization::render(FOLDER);
    for (name, _) in TESTS {
        let job = job(&rendered, name);
        let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["securityContext"]["runAsUser"], Value::Null, "{name}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        assert_eq!(pod["restartPolicy"], "Never", "{name}");
        let container = &pod["containers"][0];
        assert_eq!(
            container["image"],
            concat!("voiceassist/vas:", env!("CARGO_PKG_VERSION")),
            "{name}"
        );
        assert_eq!(
            container["securityContext"],
            json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            }),
            "{name}"
        );
        let resources = &container["resources"];
        assert_ne!(resources["requests"]["cpu"], Value::Null, "{name}");
        assert_ne!(resources["limits"]["memory"], Value::Null, "{name}");
        assert_eq!(
            resources["limits"]["cpu"],
            Value::Null,
            "{name} would be throttled"
        );
    }
    for kind in ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"] {
        assert_eq!(rendered.of_kind(kind).count(), 0, "{kind}");
    }
}

/// The kustomization of the guide, in a folder of this run.
fn of_the_guide() -> Kustomization {
    let guide = fs::read_to_string(root().join("docs/load-testing.md")).expect("docs/load-testing.md");
    let (_, section) = guide.split_once("\n## On a schedule\n").expect("its section");
    let (_, block) = section.split_once("```yaml\n").expect("its kustomization");
    let block = block.split("```").next().expect("its end");
    let folder = run_dir().join("load-tests-of-the-guide");
    fs::create_dir_all(&folder).expect("a folder");
    let below = folder
        .strip_prefix(root())
        .expect("a run's folder lies in the checkout");
    let up = "../".repeat(below.components().count());
    let text = block.replace("../voiceassist-scaling/", &up);
    fs::write(folder.join("kustomization.yaml"), text).expect("a kustomization");
    Kustomization::render(folder)
}

#[test]
fn the_guide_s_own_kustomization_sets_the_target_and_keeps_reports() {
    let rendered = of_the_guide();
    for (name, _) in TESTS {
        let arguments = arguments(&rendered, name);
        assert!(
            arguments.contains(&"--target=http://api-gateway.voiceassist-staging".to_owned()),
            "{arguments:?}"
        );
        let json = format!("--output=json=/reports/{name}.json");
        let kept = name == "load";
        assert_eq!(arguments.contains(&json), kept, "{arguments:?}");
        dry_run(&arguments);
    }
}

#[tokio::test]
async fn a_real_api_server_takes_them_and_warns_of_nothing() {
    let cluster = installation::cluster().await;
    for (folder, rendered) in [(PathBuf::from(FOLDER), Kustomization::render(FOLDER)), {
        let rendered = of_the_guide();
        (rendered.folder().to_owned(), rendered)
    }] {
        // Without its namespace, a dry run of the other objects is refused.
        let namespace = rendered.find("Namespace", "vas-load-tests").expect("it is there");
        cluster.kubectl_ok(&["apply", "-f", "-"], Some(&namespace.to_string()));
        let folder = folder.display().to_string();
        let output = cluster.kubectl(
            &["apply", "--dry-run=server", "--warnings-as-errors", "-k", &folder],
            None,
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let created = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            created.matches("cronjob.batch/load-test-").count(),
            TESTS.len(),
            "{created}"
        );
    }
    // The pod of a Job is checked when it is created, so one of each is created in a namespace that enforces
    // `restricted`.
    cluster.kubectl_ok(&["apply", "-k", FOLDER], None);
    for (name, _) in TESTS {
        let from = format!("--from=cronjob/load-test-{name}");
        let job = cluster.kubectl_ok(
            &[
                "-n",
                "vas-load-tests",
                "create",
                "job",
                "once",
                &from,
                "--dry-run=server",
                "-o",
                "json",
            ],
            None,
        );
        let job: Value = serde_json::from_str(&job).expect("kubectl writes JSON");
        let template = &job["spec"]["template"];
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "once"}, "spec": template["spec"],
        });
        cluster.kubectl_ok(
            &[
                "-n",
                "vas-load-tests",
                "apply",
                "--dry-run=server",
                "--warnings-as-errors",
                "-f",
                "-",
            ],
            Some(&pod.to_string()),
        );
    }
    cluster.kubectl_ok(&["delete", "-k", FOLDER, "--wait=false"], None);
}
