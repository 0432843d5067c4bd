//! A shopper as Locust's users know one: a form with a token, an upload, and tasks with weights.

use std::{path::Path, process::Output};

use support::cluster::root;

use super::{
    answers::with,
    catcher::{Answer, Arrived, Catcher, answer, fields},
    command::{file, test, words},
    inputs::scenario,
};

/// The value of a part of a form with files, with the headers of the part.
fn part(request: &Arrived, name: &str) -> Option<(String, Vec<u8>)> {
    let kind = request.header("content-type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=")?;
    let end = format!("\r\n--{boundary}--\r\n");
    let body = request.bytes.strip_suffix(end.as_bytes())?;
    let line = format!("--{boundary}\r\n");
    let between = format!("\r\n{line}");
    let mut rest = body.strip_prefix(line.as_bytes())?;
    loop {
        let next = find(rest, between.as_bytes());
        let one = &rest[..next.unwrap_or(rest.len())];
        let head = find(one, b"\r\n\r\n")?;
        let text = String::from_utf8_lossy(&one[..head]).into_owned();
        if text.contains(&format!("name=\"{name}\"")) {
            return Some((text, one[head + 4..].to_vec()));
        }
        rest = &rest[next? + between.len()..];
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn shop(photo: &[u8], request: &Arrived) -> Answer {
    let logged_in = request.header("cookie").contains("session=s");
    let known = match (request.method.as_str(), request.place()) {
        ("GET", "/login") => {
            let page = answer(200, "<form><input name=\"csrf\" value=\"a+b/c=&\"></form>");
            return with(page, &[("set-cookie", "csrf=1")]);
        }
        ("POST", "/login") => {
            let form = fields(&request.body);
            let value = |name: &str| form.get(name).map_or("", String::as_str);
            let user = value("user");
            if request.header("content-type") == "application/x-www-form-urlencoded"
                && request.header("cookie") == "csrf=1"
                && value("csrf") == "a+b/c=&"
                && ["user 0 & co", "user 1 & co"].contains(&user)
                && value("remember") == "yes"
            {
                let headers = [("location", "/welcome"), ("set-cookie", "session=s1; Path=/")];
                return with(answer(303, ""), &headers);
            }
            false
        }
        ("POST", "/photos") => {
            let caption = part(request, "caption").is_some_and(|(head, value)| {
                !head.contains("filename") && value.starts_with(b"photo of ") && value.len() == 10
            });
            let sent = part(request, "photo").is_some_and(|(head, value)| {
                head.contains("filename=\"photo.png\"")
                    && head.contains("Content-Type: image/png")
                    && value == photo
            });
            return answer(if logged_in && caption && sent { 201 } else { 400 }, "");
        }
        ("GET", "/welcome") => logged_in,
        ("GET", "/products") => {
            let term = request.query().remove("q");
            logged_in && term.is_none_or(|term| term.len() == 8 && term.ends_with(" lamp"))
        }
        _ => false,
    };
    answer(if known { 200 } else { 403 }, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_uploads_and_weighted_steps_arrive_as_they_are_written() {
    let photo = std::fs::read(scenario("photo.png")).expect("the photo");
    let server = Catcher::answering(move |request| shop(&photo, request)).await;
    let run = ["run", &scenario("shopper.yaml"), "--target", &server.url];
    let ended = test(&run).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    let arrived = server.take();
    let count = |method: &str, path: &str| {
        let same = |one: &&Arrived| one.method == method && one.path == path;
        arrived.iter().filter(same).count()
    };
    assert_eq!(
        [
            count("POST", "/login"),
            count("GET", "/welcome"),
            count("POST", "/photos")
        ],
        [2, 2, 2]
    );
    let looked = count("GET", "/products");
    let searched = arrived.iter().filter(|one| one.path.starts_with("/products?"));
    let searched = searched.count();
    // Of 100 turns three quarters look, and each turn does one of both.
    assert_eq!(looked + searched, 100);
    assert!(looked > searched && searched > 0, "{looked} {searched}");
    let (plan, _) = words(&test(&[&run[..], &["--dry-run"]].concat()).await);
    for words in [
        "- look (GET, in 75% of the turns)\n",
        "requests  at most 106; the fewer",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_and_weights_that_make_no_sense_are_named_before_the_run() {
    let text = std::fs::read_to_string(scenario("shopper.yaml")).expect("the scenario");
    let changed = file("shopper-changed.yaml");
    std::fs::copy(scenario("photo.png"), changed.with_file_name("photo.png")).expect("a file");
    for (from, to, words) in [
        (
            "form: {csrf",
            "body: x, form: {csrf",
            "journeys[0].steps[1].form: must not stand beside body; keep one",
        ),
        (
            "file: photo.png",
            "file: none.png",
            "steps[2].multipart[1].file: none.png: No such file",
        ),
        (
            "file: photo.png",
            "value: x, file: photo.png",
            "steps[2].multipart[1]: must have exactly one of value and file",
        ),
        ("weight: 3, ", "", "steps[4].weight: is that of one step alone"),
        (
            "{name: look, weight: 3",
            "{name: look, once: true, weight: 3",
            "steps[3].weight: must not stand beside once",
        ),
        (
            "weight: 3",
            "weight: -3",
            "steps[3].weight: -3 must be at least 0",
        ),
    ] {
        // In the block form a field stands on a line of its own.
        let to = to.replace("body: x, form", "body: x\n    form");
        std::fs::write(&changed, text.replace(from, &to)).expect("a file");
        let ended = planned_only(&changed).await;
        let (stdout, stderr) = super::command::words(&ended);
        assert_eq!(ended.status.code(), Some(2), "{to}: {stdout}{stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

/// `vas test run --dry-run` of a scenario file.
async fn planned_only(file: &Path) -> Output {
    let file = file.display().to_string();
    test(&["run", &file, "--target", "http://127.0.0.1:9", "--dry-run"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripts_in_the_guide_are_scenarios() {
    let guide = std::fs::read_to_string(root().join("docs/migrate-load-tests.md")).expect("the guide");
    let scripts = guide
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let changed = file("shopper-guide.yaml");
    std::fs::copy(scenario("photo.png"), changed.with_file_name("photo.png")).expect("a file");
    let mut planned = String::new();
    for text in scripts {
        std::fs::write(&changed, text).expect("a file");
        let ended = planned_only(&changed).await;
        let (stdout, stderr) = words(&ended);
        assert_eq!(ended.status.code(), Some(0), "{stdout}{stderr}");
        planned += &stdout;
    }
    for words in [
        "- search (GET, in 25% of the turns)",
        "- orders (GET)",
        "latency mean < 200ms",
    ] {
        assert!(planned.contains(words), "{words}: {planned}");
    }
}
