//! Postman collections.

use serde_json::{Value, json};

use super::{has, headers, hosts, left_out, others, parsed, steps, variables};
use crate::{
    import::{ImportError, Imported, others::Others, postman},
    scenario::model::Action,
};

/// Without other hosts.
fn import(file: &Value) -> Result<Imported, ImportError> {
    postman::import(file, &Others::default())
}

fn collection(items: &Value) -> Value {
    json!({
        "info": {"name": "Shop"},
        "variable": [
            {"key": "base", "value": "https://{{host}}/api"},
            {"key": "host", "value": "shop.example"},
            {"key": "empty", "value": ""},
            {"key": "circle", "value": "{{circle}}"},
        ],
        "item": items,
    })
}

#[test]
fn requests_to_a_host_that_is_named_are_taken_and_others_are_left_out_with_the_flag_to_use() {
    let file = collection(&json!([
        {"name": "token", "request": "https://auth.example/token"},
        {"name": "list", "request": "{{base}}/items"},
        {"name": "mail", "request": "https://mail.example/"},
        {"name": "pay", "request": "{{pay}}/now"},
    ]));
    let named = others(&[("auth", "https://auth.example")]).unwrap();
    let imported = postman::import(&file, &named).unwrap();
    assert_eq!(hosts(&imported), ["auth", ""]);
    assert_eq!(imported.target.as_deref(), Some("https://shop.example"));
    let left = left_out(&imported);
    assert!(
        has(
            &left,
            &["mail", "--host NAME=https://mail.example takes its requests in"]
        ),
        "{left:?}"
    );
    assert!(
        has(
            &left,
            &["pay", "{{pay}} is another host", "has no value in the collection"]
        ),
        "{left:?}"
    );
    let unused = postman::import(&file, &others(&[("a", "https://a.example")]).unwrap());
    assert!(
        unused
            .unwrap_err()
            .to_string()
            .starts_with("--host a: no request")
    );
}

#[test]
fn requests_of_all_folders_become_steps_and_variables_their_values() {
    let imported = import(&collection(&json!([
        {"name": "list", "request": "{{base}}/items"},
        {"name": "Orders", "item": [
            {"name": "new", "request": {
                "method": "POST", "url": {"raw": "{{base}}/orders?x=1"},
                "header": [
                    {"key": "Authorization", "value": "Bearer {{token}}"},
                    {"key": "X-Off", "value": "a", "disabled": true},
                    {"key": "X-On", "value": "{{host}}"},
                ],
                "body": {"mode": "raw", "raw": "{\"at\":\"{{host}}\"}", "options": {"raw": {"language": "json"}}},
            }},
            {"name": "form", "request": {"method": "PUT", "url": "{{base}}/form", "body": {"mode": "urlencoded", "urlencoded": [
                {"key": "a", "value": "{{host}}"}, {"key": "b", "value": "x", "disabled": true},
            ]}}},
            {"name": "ask", "request": {"method": "POST", "url": "{{base}}/graphql", "body": {"mode": "graphql", "graphql": {
                "query": "{ me { id } }", "variables": "{\"a\":1}",
            }}}},
        ]},
    ])))
    .unwrap();
    assert_eq!(
        steps(&imported),
        [
            "list: GET /api/items",
            "Orders/new: POST /api/orders?x=1",
            "Orders/form: PUT /api/form",
            "Orders/ask: POST /api/graphql",
        ]
    );
    assert_eq!(left_out(&imported), [""; 0]);
    assert_eq!(
        variables(&imported),
        ["TARGET_AUTHORIZATION: the header authorization without \"Bearer\"; 1 requests, 1 values"]
    );
    let scenario = parsed(&imported);
    let request = |place: usize| match &scenario.journeys[0].steps[place].action {
        Action::Request(request) => {
            let headers = request.headers.iter();
            let headers: Vec<String> = headers
                .map(|(name, value)| format!("{name}: {}", value.constant().unwrap()))
                .collect();
            (headers.join(", "), super::body(request).unwrap().to_owned())
        }
        Action::WebSocket(_) => panic!("a request"),
    };
    assert_eq!(
        request(1),
        (
            "Authorization: Bearer TARGET_AUTHORIZATION, X-On: shop.example".to_owned(),
            r#"{"at":"shop.example"}"#.to_owned()
        )
    );
    let form = "Content-Type: application/x-www-form-urlencoded";
    assert_eq!(request(2), (form.to_owned(), "a=shop.example".to_owned()));
    assert_eq!(request(3).1, r#"{"query":"{ me { id } }","variables":{"a":1}}"#);
}

#[test]
fn what_needs_a_program_a_file_or_a_value_is_left_out() {
    let script = json!([{"listen": "test", "script": {"exec": ["pm.test('ok')"]}}]);
    let imported = import(&collection(&json!([
        {"name": "scripted", "event": script, "request": "{{base}}/a"},
        {"name": "made up", "request": "{{base}}/{{$guid}}"},
        {"name": "open", "request": "{{base}}/{{empty"},
        {"name": "circle", "request": "{{base}}/{{circle}}"},
        {"name": "part", "request": "{{base}}/items/:id"},
        {"name": "files", "request": {"method": "POST", "url": "{{base}}/b", "body": {"mode": "formdata", "formdata": []}}},
        {"name": "other", "request": "https://other.example/"},
    ])))
    .unwrap();
    assert_eq!(steps(&imported), ["scripted: GET /api/a"]);
    let left = left_out(&imported);
    for words in [
        &["scripts of scripted", "extract and checks"][..],
        &["made up", "{{$guid}}", "values"],
        &["open", "begins a variable"],
        &["circle", "one another"],
        &["part", ":id"],
        &["files", "form with files"],
        &["other", "another host"],
    ] {
        assert!(has(&left, words), "{words:?}: {left:?}");
    }
    assert_eq!(left.len(), 7);
}

#[test]
fn urls_are_put_together_from_their_parts_and_path_variables_have_values() {
    let imported = import(&json!({"item": [
        {"name": "a", "request": {"url": {"raw": "https://shop.example:8443/users/:id/x?f=/:no", "variable": [{"key": "id", "value": "7 8"}]}}},
        {"name": "b", "request": {"url": {"protocol": "https", "host": ["shop", "example"], "port": "8443", "path": ["a", "b"],
            "query": [{"key": "q", "value": "1"}, {"key": "off", "value": "x", "disabled": true}, {"key": "n", "value": null}]}}},
        {"name": "c", "request": "https://shop.example:8443/:id"},
    ]}))
    .unwrap();
    assert_eq!(
        steps(&imported),
        ["a: GET /users/7%208/x?f=/:no", "b: GET /a/b?q=1&n"]
    );
    assert!(has(&left_out(&imported), &["c: ", ":id"]));
}

#[test]
fn secrets_of_a_collection_are_not_written() {
    let url = "https://shop.example/?apikey=top-secret";
    let imported = import(&json!({
        "variable": [{"key": "token", "value": "top-secret", "type": "secret"}, {"key": "h", "value": "X-H"}],
        "auth": {"type": "hawk", "hawk": [{"key": "authKey", "value": "top-secret"}]},
        "item": [
            {"name": "folder", "auth": {"type": "bearer"}, "event": [{"script": {"exec": "run()"}}], "item": [
                {"name": "a", "request": {"url": url, "header": [{"key": "Authorization ", "value": "top-secret"}, {"key": "{{h}}", "value": "v"}]}},
            ]},
            {"name": "b", "request": {"method": "POST", "url": url, "body": {"mode": "raw", "raw": "{{token}}"}}},
            {"name": "c", "request": {"url": url, "header": [{"key": "x y", "value": "v"}]}},
            {"name": "d"},
        ],
    }))
    .unwrap();
    assert!(!format!("{imported:?}").contains("top-secret"), "{imported:?}");
    assert_eq!(
        steps(&imported),
        [
            "folder/a: GET /?apikey=TARGET_APIKEY",
            "b: POST /?apikey=TARGET_APIKEY"
        ]
    );
    assert_eq!(
        headers(&imported, 0),
        "Authorization: ${TARGET_AUTHORIZATION}, X-H: v"
    );
    assert_eq!(
        imported.scenario.journeys[0].steps[1].body.as_deref(),
        Some("${TARGET_TOKEN}")
    );
    let left = left_out(&imported);
    for words in [
        &["c: ", "name of a header"],
        &["d: ", "no request"],
        &["scripts of folder", "programs"],
    ] {
        assert!(has(&left, words), "{words:?}: {left:?}");
    }
    assert!(
        has(&imported.to_do, &["credentials", "auth"]),
        "{:?}",
        imported.to_do
    );
}

#[test]
fn variables_are_replaced_however_many_they_are_and_never_without_end() {
    let body = |name: &str, raw: String| json!({"name": name, "request": {"method": "POST", "url": "https://shop.example/", "body": {"mode": "raw", "raw": raw}}});
    let imported = import(&json!({
        "variable": [{"key": "v", "value": "1"}, {"key": "large", "value": "x".repeat(100_000)}, {"key": "a", "value": "{{b}}{{b}}"}, {"key": "b", "value": "{{a}}"}],
        "item": [body("many", "{{v}}".repeat(150)), body("large", "{{large}}".repeat(90)), body("circle", "{{a}}".to_owned())],
    }))
    .unwrap();
    assert_eq!(steps(&imported), ["many: POST /"]);
    assert_eq!(imported.scenario.journeys[0].steps[0].body, Some("1".repeat(150)));
    let left = left_out(&imported);
    assert!(has(&left, &["large", "longer than 1 MiB"]), "{left:?}");
    assert!(has(&left, &["circle", "one another"]), "{left:?}");
}

#[test]
fn a_folder_that_is_too_deep_is_listed() {
    let mut item = json!({"name": "deep", "request": "https://shop.example/deep"});
    for _ in 0..40 {
        item = json!({"name": "f", "item": [item]});
    }
    let imported =
        import(&json!({"item": [item, {"name": "a", "request": "https://shop.example/"}]})).unwrap();
    assert_eq!(steps(&imported), ["a: GET /"]);
    assert!(has(&left_out(&imported), &["folders deep"]));
}

#[test]
fn variables_of_other_environments_and_auth_are_variables_of_ours() {
    let item = |name: &str, request: Value| json!({"name": name, "request": request});
    let auth = |kind: &str, fields: Value| json!({"type": kind, kind: fields});
    let imported = import(&json!({
        "auth": auth("apikey", json!([{"key": "key", "value": "k"}, {"key": "value", "value": "top-secret"}, {"key": "in", "value": "query"}])),
        "item": [
            {"name": "in", "auth": auth("bearer", json!([{"key": "token", "value": "top-secret"}])), "item": [
                item("a", json!({"url": "{{baseUrl}}/users/{{user id}}?q={{q}}", "method": "POST",
                    "header": [{"key": "X-Tenant", "value": "t-{{tenant}}"}],
                    "body": {"mode": "raw", "raw": "{\"n\":{{n}},\"password\":\"{{pass}}\"}"}})),
                item("free", json!({"url": "{{baseUrl}}/free", "auth": {"type": "noauth"}})),
                item("basic", json!({"url": "{{baseUrl}}/basic", "auth": auth("basic", json!({"username": "u"}))})),
            ]},
            item("key", json!({"url": "{{baseUrl}}/key"})),
            item("elsewhere", json!("{{otherUrl}}/")),
            item("port", json!("http://localhost:{{port}}/")),
        ],
    }))
    .unwrap();
    assert!(!format!("{imported:?}").contains("top-secret"), "{imported:?}");
    assert_eq!(imported.target, None, "the host is not known");
    assert_eq!(
        steps(&imported),
        [
            "in/a: POST /users/TARGET_USER_ID?q=TARGET_Q",
            "in/free: GET /free",
            "in/basic: GET /basic",
            "key: GET /key?k=TARGET_K",
        ]
    );
    assert_eq!(
        [0, 1, 2].map(|place| headers(&imported, place)),
        [
            "Authorization: Bearer ${TARGET_AUTHORIZATION}, Content-Type: text/plain, X-Tenant: t-${TARGET_TENANT}",
            "",
            "Authorization: Basic ${TARGET_AUTHORIZATION_BASIC}"
        ]
    );
    assert_eq!(
        imported.scenario.journeys[0].steps[0].body.as_deref(),
        Some("{\"n\":${TARGET_N},\"password\":\"${TARGET_PASS}\"}")
    );
    let left = left_out(&imported);
    assert!(has(&left, &["elsewhere: ", "another host"]), "{left:?}");
    assert!(has(&left, &["port: ", "localhost:{{port}}"]), "{left:?}");
    let listed = variables(&imported);
    assert!(has(&listed, &["TARGET_Q", "{{q}}", "1 requests"]), "{listed:?}");
}
