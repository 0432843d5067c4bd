//! Data files, made-up values and the environment: what arrives is what the scenario says.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{cluster::root, vas};

use super::{
    catcher::{Answer, Arrived, Catcher, answer},
    command::{file, read, test, words},
};

pub(super) fn scenario(name: &str) -> String {
    let path = root().join("tests/fixtures/scenarios").join(name);
    path.display().to_string()
}

/// The shop of `data.yaml`. It refuses what no user of the files would send.
fn shop(request: &Arrived) -> Answer {
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let known = match request.place() {
        "/login" => [
            ("ada@shop.example", "pass,word"),
            ("bob@shop.example", "p&q=1"),
            ("eve@shop.example", "plain"),
        ]
        .contains(&(
            body["email"].as_str().unwrap_or_default(),
            body["password"].as_str().unwrap_or_default(),
        )),
        "/orders" => {
            let text = |field: &str| body[field].as_str().unwrap_or_default();
            body["order"].as_u64().is_some_and(|order| order >= 1000)
                && body["product"].as_u64().is_some_and(|id| (11..=14).contains(&id))
                && body["quantity"]
                    .as_u64()
                    .is_some_and(|count| (1..=3).contains(&count))
                && text("name").len() == 12
                && text("at").ends_with('Z')
                && text("id") == request.header("x-request-id")
        }
        place => {
            let names = BTreeMap::from([
                ("11", "lamp"),
                ("12", "table & chair"),
                ("13", "rug"),
                ("14", "bed"),
            ]);
            let id = place.strip_prefix("/products/").unwrap_or_default();
            names.get(id).copied() == request.query().get("name").map(String::as_str)
        }
    };
    answer(if known { 200 } else { 400 }, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_send_the_rows_of_files_and_values_that_are_made_up() {
    let server = Catcher::answering(shop).await;
    let scenario = scenario("data.yaml");
    let run = ["run", &scenario, "--target", &server.url];
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let ended = test(&run).await;
        let (stdout, stderr) = words(&ended);
        assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
        let arrived = server.take();
        let at = |place: &'static str| arrived.iter().filter(move |one| one.place() == place);
        // Three users, each with a row of its own.
        let logins: BTreeSet<&str> = at("/login").map(|one| one.body.as_str()).collect();
        assert_eq!((at("/login").count(), logins.len()), (3, 3), "{logins:?}");
        // 24 turns took each of the four products six times.
        for id in 11..=14 {
            let looked = arrived
                .iter()
                .filter(|one| one.place() == format!("/products/{id}"));
            assert_eq!(looked.count(), 6, "{id}");
        }
        let orders: Vec<Value> = at("/orders")
            .map(|one| serde_json::from_str(&one.body).expect("JSON"))
            .collect();
        let numbers: BTreeSet<u64> = orders
            .iter()
            .filter_map(|order| order["order"].as_u64())
            .collect();
        assert_eq!(numbers, (1000..1024).collect());
        let ids: BTreeSet<&str> = orders.iter().filter_map(|order| order["id"].as_str()).collect();
        assert_eq!(ids.len(), 24);
        drawn.push(ids.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
    }
    // The seed gives each user the same identifiers again, as many as it takes turns in both runs.
    assert!(drawn[0].intersection(&drawn[1]).count() >= 3, "{drawn:?}");
    let (plan, _) = words(&test(&[&run[..], &["--dry-run"]].concat()).await);
    for words in [
        "data      any: 4 rows of products.json (id, name); each turn gets any\n",
        "data      users: 3 rows of users.csv (email, password, note); each user has one\n",
        "values    at, id, name, order, quantity\n",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_file_column_or_variable_is_named_before_anything_is_sent() {
    let server = Catcher::start(200).await;
    let text = std::fs::read_to_string(scenario("data.yaml")).expect("the scenario");
    for (from, to, words) in [
        (
            "users.csv",
            "nobody.csv",
            "data.users.file: nobody.csv: No such file",
        ),
        (
            "{{users.email}}",
            "{{users.mail}}",
            "{{users.mail}} has no value: the columns of users.csv are email, password, note",
        ),
        ("id: uuid", "id: guid", "values.id: \"guid\" makes no value"),
        (
            "{{next.id}}",
            "${NOT_SET_ANYWHERE}",
            "set NOT_SET_ANYWHERE in the environment",
        ),
    ] {
        let changed = file("inputs-changed.yaml");
        for data in ["users.csv", "products.json"] {
            std::fs::copy(scenario(data), changed.with_file_name(data)).expect("a file");
        }
        std::fs::write(&changed, text.replace(from, to)).expect("a file");
        for more in [&[][..], &["--dry-run"]] {
            let run = ["run", &changed.display().to_string(), "--target", &server.url];
            let ended = test(&[&run[..], more].concat()).await;
            let (_, stderr) = super::command::words(&ended);
            assert_eq!(ended.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains(words), "{words}: {stderr}");
        }
    }
    assert!(server.take().is_empty());
}

const TOKEN: &str = "t0ken-from-the-environment";
const KEY: &str = "k3y-4711";

/// Takes the token and the key, and sends back what it got, as some servers do in their errors.
fn keeper(request: &Arrived) -> Answer {
    if request.header("authorization") != format!("Bearer {TOKEN}") {
        return answer(401, "");
    }
    if request.place() == "/echo" {
        let known = request.body.contains(TOKEN);
        let mut echo = answer(if known { 302 } else { 400 }, request.body.clone());
        let back = format!("/again?token={TOKEN}");
        echo.headers_mut()
            .insert("location", back.parse().expect("a header"));
        return echo;
    }
    let query = request.query();
    let known = query.get("key").map(String::as_str) == Some(KEY)
        && query.get("price").map(String::as_str) == Some("${5}");
    answer(if known { 200 } else { 400 }, "")
}

#[track_caller]
fn hidden(place: &str, text: &str) {
    assert!(!text.contains(TOKEN) && !text.contains(KEY), "{place}: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_the_environment_are_sent_and_shown_nowhere() {
    let server = Catcher::answering(keeper).await;
    let formats = ["html", "json", "junit", "md", "hgrm"];
    let files = formats.map(|format| file(&format!("environment.{format}")));
    let outputs = formats
        .iter()
        .zip(&files)
        .map(|(format, file)| format!("--output={format}={}", file.display()));
    let mut command = Command::new(vas::binary());
    command
        .args(["test", "run", &scenario("secrets.yaml"), "--target", &server.url])
        .args(outputs)
        .envs([("SHOP_TOKEN", TOKEN), ("SHOP_KEY", KEY), ("RUST_LOG", "trace")])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || {
        let running = command.spawn().expect("vas starts");
        let line = std::fs::read_to_string(format!("/proc/{}/cmdline", running.id()));
        hidden("the list of processes", &line.expect("its command line"));
        running.wait_with_output().expect("it ends")
    });
    let ended = ended.await.expect("it runs");
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    hidden("output", &format!("{stdout}{stderr}"));
    for file in &files {
        let report = std::fs::read_to_string(file).expect("the report is there");
        hidden(&file.display().to_string(), &report);
    }
    let arrived = server.take();
    // Twenty turns, however busy the machine is.
    assert_eq!(arrived.len(), 40);

    let mut plan = Command::new(vas::binary());
    plan.args(["test", "run", &scenario("secrets.yaml"), "--target", &server.url])
        .arg("--dry-run")
        .envs([("SHOP_TOKEN", TOKEN), ("SHOP_KEY", KEY)]);
    let plan = plan.output().expect("it runs");
    let (plan, stderr) = words(&plan);
    hidden("plan", &format!("{plan}{stderr}"));
    assert!(
        plan.contains("secrets   SHOP_KEY, SHOP_TOKEN, from the environment; shown nowhere"),
        "{plan}"
    );

    // What a server sends back of a secret is masked where a report shows what was found.
    let text = std::fs::read_to_string(scenario("secrets.yaml")).expect("the scenario");
    let (changed, json) = (file("environment-changed.yaml"), file("environment-changed.json"));
    let with_check = text.replace(
        "post: /echo,",
        "post: /echo, checks: [\"json /token != ${SHOP_TOKEN}\"],",
    );
    std::fs::write(&changed, with_check).expect("a file");
    let mut echoed = Command::new(vas::binary());
    echoed
        .args(["test", "run"])
        .arg(&changed)
        .args(["--target", &server.url, "-o", &format!("json={}", json.display())])
        .envs([("SHOP_TOKEN", TOKEN), ("SHOP_KEY", KEY)]);
    let echoed = tokio::task::spawn_blocking(move || echoed.output().expect("it runs"));
    let (stdout, stderr) = words(&echoed.await.expect("it runs"));
    hidden("output", &format!("{stdout}{stderr}"));
    let examples = &read(&json)["steps"]["echoed"]["examples"];
    assert_eq!(
        examples["check: not json /token != ${SHOP_TOKEN}"], "***",
        "{examples}"
    );

    // A value that cannot be sent is refused without being shown.
    let mut broken = Command::new(vas::binary());
    broken
        .args(["test", "run", &scenario("secrets.yaml"), "--target", &server.url])
        .envs([("SHOP_TOKEN", format!("{TOKEN}\n")), ("SHOP_KEY", KEY.to_owned())]);
    let broken = broken.output().expect("it runs");
    let (stdout, stderr) = words(&broken);
    assert_eq!(broken.status.code(), Some(2), "{stdout}{stderr}");
    assert!(
        stderr.contains("journeys[0].headers.Authorization: must not have line breaks"),
        "{stderr}"
    );
    hidden("error", &stderr);
}
