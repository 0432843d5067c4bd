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
