//! Recordings of browsers.

use serde_json::{Value, json};

use super::{body, has, headers, hosts, left_out, others, parsed, steps, variables};
use crate::{
    import::{ImportError, Imported, har, others::Others},
    scenario::model::{Action, Statuses},
};

/// Without other hosts.
fn import(file: &Value) -> Result<Imported, ImportError> {
    har::import(file, &Others::default())
}

fn entry(method: &str, url: &str, at: &str, status: u16) -> Value {
    json!({
        "startedDateTime": format!("2026-03-01T10:00:{at}Z"),
        "time": 200,
        "request": {"method": method, "url": url, "headers": [
            {"name": ":authority", "value": "shop.example"},
            {"name": "Host", "value": "shop.example"},
            {"name": "accept", "value": "text/html"},
            {"name": "Authorization", "value": "Bearer top-secret"},
            {"name": "Cookie", "value": "session=top-secret"},
        ]},
        "response": {"status": status},
    })
}

fn archive(entries: &[Value]) -> Value {
    json!({"log": {"version": "1.2", "entries": entries}})
}

#[test]
fn requests_become_steps_in_their_order_with_the_recorded_pauses() {
    let mut login = entry("POST", "https://shop.example/login", "02.500", 303);
    login["request"]["postData"] = json!({
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "user", "value": "a b"}, {"name": "at", "value": "x&y"}],
    });
    // The recorder wrote the second request first.
    let imported = import(&archive(&[
        login,
        entry("GET", "https://shop.example/?q=1", "00.000", 200),
        entry("GET", "https://shop.example/?q=1", "02.750", 404),
    ]))
    .unwrap();
    assert_eq!(
        steps(&imported),
        [
            "GET /?q=1: GET /?q=1",
            "POST /login: POST /login",
            "GET /?q=1 (2): GET /?q=1"
        ]
    );
    assert_eq!(left_out(&imported), [""; 0]);
    assert_eq!(imported.target.as_deref(), Some("https://shop.example"));
    let scenario = parsed(&imported);
    let steps = &scenario.journeys[0].steps;
    let thinks: Vec<Option<u128>> = steps
        .iter()
        .map(|step| step.think.map(|think| think.min.as_millis()))
        .collect();
    assert_eq!(
        thinks,
        [Some(2300), None, None],
        "between the end and the next beginning"
    );
    let Action::Request(login) = &steps[1].action else {
        panic!("a request")
    };
    assert_eq!(body(login), Some("user=a+b&at=x%26y"));
    let Action::Request(missing) = &steps[2].action else {
        panic!("a request")
    };
    assert_eq!(
        missing.expect,
        Statuses::Only(vec![404]),
        "what was recorded is no failure"
    );
    let names: Vec<&str> = missing.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Authorization", "Cookie", "accept"]);
}

#[test]
fn variables_of_the_environment_stand_for_secrets_and_are_listed() {
    let imported = import(&archive(&[entry("GET", "https://shop.example/", "00.000", 200)])).unwrap();
    assert!(!format!("{imported:?}").contains("top-secret"), "{imported:?}");
    assert_eq!(
        headers(&imported, 0),
        "Authorization: Bearer ${TARGET_AUTHORIZATION}, Cookie: ${TARGET_COOKIE}, accept: text/html"
    );
    assert_eq!(
        variables(&imported),
        [
            "TARGET_AUTHORIZATION: the header authorization without \"Bearer\"; 1 requests, 1 values",
            "TARGET_COOKIE: the header cookie; 1 requests, 1 values",
        ]
    );
    assert_eq!(imported.to_do, [""; 0]);
}

#[test]
fn a_file_of_others_asks_for_no_variable_that_is_set_for_something_else() {
    let mut hostile = entry("GET", "https://shop.example/?PWD=a&x${HOME}=1", "00.000", 200);
    hostile["request"]["headers"] = json!([
        {"name": "GITHUB_TOKEN", "value": "x"},
        {"name": "X-A", "value": "${AWS_SECRET_ACCESS_KEY}"},
    ]);
    let imported = import(&archive(&[hostile])).unwrap();
    let names: Vec<&str> = imported.variables.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["TARGET_GITHUB_TOKEN", "TARGET_PWD"]);
    // Only what is asked for has a value here, so that it parses only if it asks for nothing else.
    parsed(&imported);
}

#[test]
fn cookies_that_the_recorded_service_set_are_those_of_each_user() {
    let cookie = |entry: &mut Value, text: &str| {
        entry["request"]["headers"] = json!([{"name": "Cookie", "value": text}]);
    };
    let mut login = entry("POST", "https://shop.example/login", "00.000", 200);
    cookie(&mut login, "device=top-secret");
    login["response"]["headers"] =
        json!([{"name": "set-cookie", "value": "sid=top-secret; Path=/\nlang=de"}]);
    let mut elsewhere = entry("GET", "https://other.example/", "01.000", 200);
    elsewhere["response"]["headers"] = json!([{"name": "Set-Cookie", "value": "device=top-secret"}]);
    let mut after = entry("GET", "https://shop.example/", "02.000", 200);
    cookie(&mut after, "sid=top-secret; device=top-secret; lang=de");
    let mut last = entry("GET", "https://shop.example/", "03.000", 200);
    cookie(&mut last, "sid=top-secret");
    let imported = import(&archive(&[login, elsewhere, after, last])).unwrap();
    assert!(!format!("{imported:?}").contains("top-secret"), "{imported:?}");
    assert!(parsed(&imported).journeys[0].cookies);
    assert_eq!(
        [0, 1, 2].map(|place| headers(&imported, place)),
        ["Cookie: ${TARGET_COOKIE}", "Cookie: ${TARGET_COOKIE}", ""]
    );
    assert_eq!(
        variables(&imported),
        ["TARGET_COOKIE: the header cookie; 2 requests, 1 values"]
    );
}

#[test]
fn a_dollar_of_a_recording_names_no_variable_of_the_environment() {
    let mut priced = entry("POST", "https://shop.example/price", "00.000", 200);
    priced["request"]["postData"] = json!({"mimeType": "text/plain", "text": "$${HOME} ${5}"});
    let scenario = parsed(&import(&archive(&[priced])).unwrap());
    let Action::Request(request) = &scenario.journeys[0].steps[0].action else {
        panic!("it is a request")
    };
    assert_eq!(body(request), Some("$${HOME} ${5}"));
}

#[test]
fn what_a_scenario_cannot_have_is_left_out_with_its_reason() {
    let mut picture = entry("POST", "https://shop.example/picture", "01.000", 200);
    picture["request"]["postData"] = json!({"mimeType": "image/png", "text": "aGk=", "encoding": "base64"});
    let mut braces = entry("POST", "https://shop.example/template", "02.000", 200);
    braces["request"]["postData"] = json!({"mimeType": "text/plain", "text": "{{name}}"});
    let imported = import(&archive(&[
        entry("GET", "https://shop.example/", "00.000", 200),
        picture,
        braces,
        entry("GET", "https://other.example/", "03.000", 200),
        entry("GET", "wss://shop.example/ws", "04.000", 101),
        entry("GET", "https://shop.example/lost", "05.000", 0),
        entry("PROPFIND", "https://shop.example/", "06.000", 200),
    ]))
    .unwrap();
    assert_eq!(steps(&imported), ["GET /: GET /"]);
    let left = left_out(&imported);
    for words in [
        &["/picture", "no text"][..],
        &["/template", "begins a variable"],
        &[
            "https://other.example/",
            "--host NAME=https://other.example takes its requests in",
        ],
        &["wss://shop.example/ws", "WebSocket"],
        &["/lost", "no answer"],
        &["PROPFIND", "method"],
    ] {
        assert!(has(&left, words), "{words:?}: {left:?}");
    }
    assert_eq!(left.len(), 6);
    let error = import(&archive(&[entry(
        "GET",
        "https://shop.example/lost",
        "05.000",
        0,
    )]))
    .unwrap_err();
    assert!(error.to_string().contains("/lost: it got no answer"), "{error}");
}

#[test]
fn requests_to_a_host_that_is_named_are_taken_with_the_cookies_of_that_host() {
    let mut login = entry("POST", "https://auth.example:8443/token", "00.000", 200);
    login["response"]["headers"] = json!([{"name": "Set-Cookie", "value": "session=top-secret"}]);
    let file = archive(&[
        login,
        entry("GET", "https://shop.example/", "01.000", 200),
        entry("GET", "https://auth.example:8443/me", "02.000", 200),
        entry("GET", "https://counter.example/pixel", "03.000", 200),
    ]);
    let named = others(&[("auth", "https://auth.example:8443")]).unwrap();
    let imported = har::import(&file, &named).unwrap();
    assert_eq!(hosts(&imported), ["auth", "", "auth"]);
    // The first host that answered is named, so it is not the target.
    assert_eq!(imported.target.as_deref(), Some("https://shop.example"));
    assert!(
        headers(&imported, 1).contains("Cookie"),
        "no answer of shop.example set it"
    );
    assert!(!headers(&imported, 2).contains("Cookie"), "auth.example set it");
    assert_eq!(imported.left_out.len(), 1);
    let error = har::import(&file, &others(&[("auth", "https://auth.example")]).unwrap());
    assert_eq!(
        error.unwrap_err().to_string(),
        "--host auth: no request that can be taken goes to https://auth.example"
    );
}

#[test]
fn a_recording_of_too_many_requests_is_refused() {
    let one = entry("GET", "https://shop.example/", "00.000", 200);
    let error = import(&archive(&vec![one; 2001])).unwrap_err();
    assert!(error.to_string().contains("2001 requests"), "{error}");
}

#[test]
fn what_a_run_would_refuse_is_left_out() {
    let with = |path: &str, name: &str, value: &str| {
        let mut one = entry("GET", &format!("https://shop.example{path}"), "00.000", 200);
        one["request"]["headers"] = json!([{"name": name, "value": value}]);
        one
    };
    let imported = import(&archive(&[
        entry("GET", "https://shop.example/status", "00.000", 999),
        with("/name", "x y", "z"),
        with("/break", "x-a", "a\nb"),
        with("/empty", "", "a"),
        entry(
            "GET",
            &format!("https://shop.example/{}", "a".repeat(70_000)),
            "00.000",
            200,
        ),
        with("/ok", "Accept ", "a"),
    ]))
    .unwrap();
    assert_eq!(steps(&imported), ["GET /ok: GET /ok"]);
    let left = left_out(&imported);
    for words in [
        &["/status", "999 is not an HTTP status"][..],
        &["/name", "not the name of a header"],
        &["/break", "line breaks"],
        &["/empty", "not the name of a header"],
        &["longer than 65000 bytes"],
    ] {
        assert!(has(&left, words), "{words:?}: {left:?}");
    }
    assert!(left.iter().all(|line| line.len() < 500), "a line is short");
}

#[test]
fn the_recorded_host_is_the_first_that_answers_by_itself() {
    let mut redirect = entry("GET", "http://shop.example/", "01.000", 301);
    redirect["response"]["redirectURL"] = json!("https://shop.example/");
    let imported = import(&archive(&[
        entry("GET", "https://blocked.example/", "00.000", 0),
        redirect,
        entry("GET", "https://shop.example/", "02.000", 200),
    ]))
    .unwrap();
    assert_eq!(imported.target.as_deref(), Some("https://shop.example"));
    assert_eq!(steps(&imported), ["GET /: GET /"]);
    assert_eq!(imported.left_out.len(), 2);
}

#[test]
fn no_secret_of_a_header_or_a_query_is_written_or_shown() {
    let mut one = entry(
        "GET",
        "https://shop.example/?access_token=top-secret&api%5Fkey=top-secret&page=2",
        "00.000",
        200,
    );
    let names = [
        "Authorization ",
        "X-CSRF-Token",
        "PRIVATE-TOKEN",
        "apikey",
        "X-Goog-Api-Key",
        "x-session-id",
        "Ocp-Apim-Subscription-Key",
        "Set-Cookie",
        "X-Auth-Key",
    ];
    let mut headers: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "value": "top-secret"}))
        .collect();
    headers.push(json!({"name": "Referer", "value": "https://shop.example/?sig=top-secret"}));
    headers.push(json!({"name": "Cookie", "value": "top-secret"}));
    one["request"]["headers"] = json!(headers);
    let other = entry("GET", "https://other.example/?token=top-secret", "01.000", 200);
    let mut login = entry("POST", "https://shop.example/login", "02.000", 200);
    login["request"]["postData"] =
        json!({"mimeType": "application/json", "text": "{\"user\":\"a\", \"password\":\"top-secret\"}"});
    let mut form = entry("POST", "https://shop.example/login", "03.000", 200);
    form["request"]["postData"] = json!({
        "mimeType": "application/x-www-form-urlencoded; charset=utf-8",
        "text": "user=a&passwd=top-secret&csrf_token=top-secret",
    });
    let imported = import(&archive(&[one, other, login, form])).unwrap();
    assert!(!format!("{imported:?}").contains("top-secret"), "{imported:?}");
    assert_eq!(
        steps(&imported)[0],
        "GET /?access_token=${TARGET_ACCESS_TOKEN}&api%5Fkey=${TARGET_API_KEY}&page=2: \
         GET /?access_token=TARGET_ACCESS_TOKEN&api%5Fkey=TARGET_API_KEY&page=2"
    );
    let bodies: Vec<Option<&str>> = imported.scenario.journeys[0]
        .steps
        .iter()
        .map(|step| step.body.as_deref())
        .collect();
    assert_eq!(
        bodies[1..],
        [
            Some(r#"{"user":"a", "password":"${TARGET_PASSWORD}"}"#),
            Some("user=a&passwd=${TARGET_PASSWD}&csrf_token=${TARGET_CSRF_TOKEN}")
        ]
    );
    let listed = variables(&imported);
    for words in [
        &["TARGET_COOKIE", "the header cookie"][..],
        &["TARGET_SIG", "sig in the query, percent-encoded"],
        &["TARGET_ACCESS_TOKEN", "access_token in the query"],
        &["TARGET_PASSWORD", "password in the body"],
        &["TARGET_X_GOOG_API_KEY"],
    ] {
        assert!(has(&listed, words), "{words:?}: {listed:?}");
    }
}

#[test]
fn entries_with_nulls_are_read_and_a_broken_one_harms_no_other() {
    let mut null = entry("GET", "https://shop.example/null", "00.000", 200);
    null["time"] = Value::Null;
    null["request"]["headers"] = Value::Null;
    null["response"]["status"] = json!(200.0);
    let mut lost = entry("GET", "https://shop.example/lost", "00.000", 200);
    lost["response"] = Value::Null;
    let imported = import(&archive(&[null, lost, json!({"request": {}}), json!(7)])).unwrap();
    assert_eq!(steps(&imported), ["GET /null: GET /null"]);
    let left = left_out(&imported);
    assert!(has(&left, &["log.entries[2]", "method"]), "{left:?}");
    assert_eq!(left.len(), 3);
}
