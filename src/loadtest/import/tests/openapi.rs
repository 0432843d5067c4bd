//! `OpenAPI` documents.

use serde_json::{Value, json};

use super::{has, left_out, parsed, steps};
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
    assert!(has(&imported.to_do, &["credentials", "--header-file"]));
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
