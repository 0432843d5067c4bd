//! `OpenAPI` documents.

use serde_json::{Value, json};

use super::{has, headers, left_out, parsed, steps, variables};
use crate::{import::openapi::import, scenario::model::Action};

fn shop() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop\nof all things"},
        "servers": [{"url": "/relative"}, {"url": "https://shop.example/api/"}],
        "security": [{"bearer": []}],
        "paths": {
            "/items/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"$ref": "#/components/schemas/Id"}}],
                "get": {"operationId": "item", "parameters": [
                    {"name": "page", "in": "query", "required": true, "schema": {"default": 1}},
                    {"name": "sort", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Tenant", "in": "header", "required": true, "example": "a b"},
                ]},
                "delete": {"parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]},
            },
            "/orders": {
                "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
                "put": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"example": {"a": 1, "b": "x y"}}}}},
                "patch": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Circle"}}}}},
            },
        },
        "components": {"schemas": {
            "Id": {"type": "string", "examples": ["a/b"]},
            "Circle": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Circle"}}},
            "Order": {
                "type": "object",
                "required": ["item", "lines"],
                "properties": {
                    "item": {"$ref": "#/components/schemas/Id"},
                    "lines": {"type": "array", "items": {"enum": [7, 8]}},
                    "note": {"type": "string"},
                    "id": {"type": "integer", "readOnly": true, "example": 1},
                },
            },
        }},
    })
}

#[test]
fn operations_with_examples_become_steps() {
    let imported = import(&shop()).unwrap();
    assert_eq!(
        steps(&imported),
        [
            "item: GET /items/a%2Fb?page=1",
            "PUT /orders: PUT /orders",
            "POST /orders: POST /orders"
        ]
    );
    assert_eq!(imported.target.as_deref(), Some("https://shop.example/api"));
    assert_eq!(
        imported.scenario.description,
        "the operations of Shop of all things, one after another"
    );
    let scenario = parsed(&imported);
    let body = |place: usize| match &scenario.journeys[0].steps[place].action {
        Action::Request(request) => super::body(request).map(str::to_owned),
        Action::WebSocket(_) => None,
    };
    assert_eq!(body(1).as_deref(), Some("a=1&b=x+y"));
    assert_eq!(
        body(2).as_deref(),
        Some(r#"{"item":"a/b","lines":[7]}"#),
        "without what only answers have"
    );
}

#[test]
fn operations_without_examples_are_left_out() {
    let imported = import(&shop()).unwrap();
    let left = left_out(&imported);
    assert!(
        has(&left, &["DELETE /items/{id}", "path parameter id has no example"]),
        "{left:?}"
    );
    assert!(
        has(&left, &["PATCH /orders", "its body has no example"]),
        "a schema that contains itself: {left:?}"
    );
    assert_eq!(left.len(), 2);
    assert!(
        has(&imported.to_do, &["credentials", "--header-file"]),
        "nothing says what the scheme bearer is"
    );
}

#[test]
fn credentials_that_are_asked_for_are_variables_where_the_scheme_says_where() {
    let with = |security: Value| json!({"get": {"security": security}});
    let mut shop = document(json!({
        "/bearer": with(json!([{"jwt": []}])),
        "/basic": with(json!([{"unknown": []}, {"user": []}])),
        "/both": with(json!([{"query": [], "cookie": [], "header": []}])),
        "/oauth": {"get": {}},
        "/free": with(json!([{"jwt": []}, {}])),
        "/none": with(json!([])),
        "/own": {"get": {"security": [{"query": []}], "parameters": [
            {"name": "api key", "in": "query", "required": true, "example": "top-secret"},
            {"name": "X-Auth", "in": "header", "required": true, "example": "top-secret"},
        ]}},
    }));
    shop["security"] = json!([{"oauth": ["read"]}]);
    shop["components"]["securitySchemes"] = json!({
        "jwt": {"type": "http", "scheme": "Bearer"},
        "user": {"type": "http", "scheme": "basic"},
        "query": {"type": "apiKey", "in": "query", "name": "api key"},
        "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
        "oauth": {"type": "oauth2"},
        "unknown": {"type": "mutualTLS"},
    });
    let imported = import(&shop).unwrap();
    assert_eq!(imported.to_do, [""; 0]);
    assert!(!format!("{imported:?}").contains("top-secret"), "{imported:?}");
    let journey = &imported.scenario.journeys[0];
    let all: Vec<String> = (0..journey.steps.len())
        .map(|place| {
            format!(
                "{} {}",
                journey.steps[place].call.path(),
                headers(&imported, place)
            )
        })
        .collect();
    for line in [
        "/bearer Authorization: Bearer ${TARGET_AUTHORIZATION}",
        "/basic Authorization: Basic ${TARGET_AUTHORIZATION_BASIC}",
        "/both?api%20key=${TARGET_API_KEY} Cookie: sid=${TARGET_SID}, X-Key: ${TARGET_X_KEY}",
        "/oauth Authorization: Bearer ${TARGET_AUTHORIZATION}",
        "/free ",
        "/none ",
        "/own?api+key=${TARGET_API_KEY} X-Auth: ${TARGET_X_AUTH}",
    ] {
        assert!(all.iter().any(|one| one == line), "{line}: {all:#?}");
    }
    let listed = variables(&imported);
    assert!(
        has(&listed, &["TARGET_SID", "the cookie sid", "0 values"]),
        "{listed:?}"
    );
    parsed(&imported);
}

#[test]
fn swagger_is_read_too() {
    let imported = import(&json!({
        "swagger": "2.0",
        "host": "shop.example", "basePath": "/v1", "schemes": ["http"],
        "paths": {"/a": {
            "get": {"parameters": [{"name": "n", "in": "query", "required": true, "type": "integer", "default": 3}]},
            "post": {"parameters": [{"name": "body", "in": "body", "schema": {"example": {"a": true}}}]},
        }},
    }))
    .unwrap();
    assert_eq!(steps(&imported), ["GET /a?n=3: GET /a?n=3", "POST /a: POST /a"]);
    assert_eq!(imported.target.as_deref(), Some("http://shop.example/v1"));
}

#[test]
fn a_document_that_unfolds_without_end_ends() {
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({"$ref": format!("#/components/schemas/s{}", level + 1)});
        schemas.insert(format!("s{level}"), json!({"properties": {"a": next, "b": next}}));
    }
    schemas.insert("s40".to_owned(), json!({"type": "string"}));
    let error = import(&json!({
        "openapi": "3.0.0",
        "paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/s0"}}}}}}},
        "components": {"schemas": schemas},
    }))
    .unwrap_err();
    assert!(
        error.to_string().contains("POST /a: its body has no example"),
        "{error}"
    );
}

fn document(paths: Value) -> Value {
    json!({"openapi": "3.0.3", "paths": paths})
}

fn query(name: &str, fields: Value) -> Value {
    let mut parameter = json!({"name": name, "in": "query", "required": true});
    for (key, value) in fields.as_object().unwrap() {
        parameter[key] = value.clone();
    }
    json!({"get": {"parameters": [parameter]}})
}

#[test]
fn the_target_is_no_more_than_a_host_and_a_path() {
    let target = |url: &str| {
        let mut file = document(json!({"/": {"get": {}}}));
        file["servers"] = json!([{"url": url}]);
        import(&file).unwrap().target
    };
    let expected = Some("https://a.example/xload:%20evil".to_owned());
    assert_eq!(target("https://a.example/x\nload: evil"), expected);
    let expected = Some("https://a.example/v1".to_owned());
    assert_eq!(target("https://user:top-secret@a.example/v1/?x=1#f"), expected);
}

#[test]
fn what_a_run_would_refuse_is_left_out() {
    let header = |name: &str| json!({"get": {"parameters": [{"name": name, "in": "header", "required": true, "example": "a\nb"}]}});
    let imported = import(&document(json!({
        "/ok": {"get": {}}, "/a b": {"get": {}}, "/#X-Amz-Target=A": {"get": {}}, "relative": {"get": {}},
        "/name": header("x y"), "/break": header("x-a"), "/secret": header("X-API-Key"),
    })))
    .unwrap();
    assert_eq!(steps(&imported), ["GET /ok: GET /ok", "GET /secret: GET /secret"]);
    assert_eq!(imported.left_out.len(), 5);
    assert_eq!(
        variables(&imported),
        ["TARGET_X_API_KEY: the header x-api-key; 1 requests, 0 values"]
    );
}

#[test]
fn references_out_of_the_document_are_listed() {
    let elsewhere = json!({"$ref": "other.yaml#/a"});
    let mut file = document(json!({
        "/path": elsewhere, "/body": {"post": {"requestBody": elsewhere}}, "/parameter": {"get": {"parameters": [elsewhere]}},
        "/server": {"get": {"servers": [{"url": "https://other.example"}]}},
        "/ok/{x}": {"get": {"parameters": [{"$ref": "#/components/parameters/X%20Y"}]}},
    }));
    file["components"] = json!({"parameters": {"X Y": {"name": "x", "in": "path", "example": 1}}});
    let imported = import(&file).unwrap();
    assert_eq!(steps(&imported), ["GET /ok/1: GET /ok/1"]);
    let left = left_out(&imported);
    for words in [
        &["/path", "$ref"],
        &["/body", "$ref"],
        &["/parameter", "$ref"],
        &["/server", "servers of its own"],
    ] {
        assert!(has(&left, words), "{left:?}");
    }
}

#[test]
fn lists_are_written_as_their_style_says_and_null_is_no_value() {
    let two = json!(["a", "b"]);
    let imported = import(&document(json!({
        "/1": query("i", json!({"example": two, "schema": {}})),
        "/2": query("i", json!({"example": two, "explode": false})),
        "/3": query("i", json!({"example": two, "style": "pipeDelimited", "explode": false})),
        "/4": query("i", json!({"x-example": two, "type": "array"})),
        "/5": query("i", json!({"x-example": two, "type": "array", "collectionFormat": "multi"})),
        "/6": query("i", json!({"schema": {"enum": [null, "x"]}})),
        "/7": query("i", json!({"schema": {"default": null}})),
        "/8": query("i", json!({"example": {"a": 1}})),
    })))
    .unwrap();
    let paths: Vec<String> = imported.scenario.journeys[0]
        .steps
        .iter()
        .map(|step| step.call.path().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "/1?i=a&i=b",
            "/2?i=a%2Cb",
            "/3?i=a%7Cb",
            "/4?i=a%2Cb",
            "/5?i=a&i=b",
            "/6?i=x"
        ]
    );
    assert_eq!(imported.left_out.len(), 2);
}

#[test]
fn bodies_are_of_the_kind_that_they_are_said_to_be() {
    let body = |kind: &str, media: Value| json!({"post": {"requestBody": {"content": {kind: media}}}});
    let state = json!({"allOf": [{"$ref": "#/components/schemas/State"}, {"description": "of it"}]});
    let mut file = document(json!({
        "/1": body("application/xml", json!({"example": {"a": 1}})),
        "/2": body("*/*", json!({"example": {"a": 1}})),
        "/3": body("application/json", json!({"example": "hello"})),
        "/4": body("application/json", json!({"example": "{\"a\":1}"})),
        "/5": body("application/json", json!({"schema": {"properties": {"state": state}}})),
        "/6": body("application/json", json!({"schema": {"allOf": [{"properties": {"a": {"example": 1}}}, {"required": ["a"]}], "properties": {"z": {"example": 9}}}})),
    }));
    file["components"] = json!({"schemas": {"State": {"enum": ["available"]}}});
    let imported = import(&file).unwrap();
    let bodies: Vec<(&str, usize)> = imported.scenario.journeys[0]
        .steps
        .iter()
        .map(|step| (step.body.as_deref().unwrap(), step.headers.len()))
        .collect();
    let expected = [
        "{\"a\":1}",
        "\"hello\"",
        "{\"a\":1}",
        "{\"state\":\"available\"}",
        "{\"a\":1,\"z\":9}",
    ];
    assert_eq!(bodies, expected.map(|body| (body, 0)));
    assert!(has(&left_out(&imported), &["/1", "application/xml"]));
}

#[test]
fn a_small_document_makes_no_large_body() {
    let properties: serde_json::Map<String, Value> = (0..1000)
        .map(|number| {
            (
                format!("p{number}"),
                json!({"$ref": "#/components/schemas/Large"}),
            )
        })
        .collect();
    let post = json!({"post": {"requestBody": {"content": {"application/json": {"schema": {"properties": properties}}}}}});
    let mut file = document(json!({"/ok": {"get": {}}, "/large": post}));
    file["components"] = json!({"schemas": {"Large": {"example": "x".repeat(100_000)}}});
    let imported = import(&file).unwrap();
    assert!(serde_json::to_string(&imported.scenario).unwrap().len() < 2 << 20);
}
