//! Postman collections.

use serde_json::{Value, json};

use super::{has, left_out, parsed, steps};
use crate::{import::postman::import, scenario::model::Action};

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
    assert!(has(&imported.to_do, &["authorization", "--header-file"]));
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
            "X-On: shop.example".to_owned(),
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
        {"name": "unset", "request": "{{base}}/{{token}}"},
        {"name": "empty", "request": "{{base}}/{{empty}}"},
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
        &["unset", "{{token}} has no value"],
        &["empty", "{{empty}} has no value"],
        &["circle", "one another"],
        &["part", ":id"],
        &["files", "form with files"],
        &["other", "another one"],
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
    assert_eq!(steps(&imported), ["folder/a: GET /?apikey=SECRET"]);
    let left = left_out(&imported);
    for words in [
        &["b: ", "secret"],
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
