//! A client of the API.

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

/// A client, with a token once it has logged in.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer. The body is JSON, or nothing.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            http: reqwest::Client::new(),
            base: format!("http://{address}"),
            token: None,
        }
    }

    /// The same client, logged in as `user0` and so on.
    pub(crate) async fn logged_in(&self, name: &str) -> Self {
        let login = json!({"email": format!("{name}@voiceassist.example"), "password": "load-test"});
        let answer = self.post("/api/auth/login", &login).await;
        assert_eq!(answer.code, 200, "{answer:?}");
        self.with_token(answer.text("/token"))
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The token, once it has logged in.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same, with the token of another client.
    pub(crate) fn with_token_of(&self, other: &Self) -> Self {
        Self {
            token: other.token.clone(),
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request to be changed before it is sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// Sends it; an error where nobody answers.
    pub(crate) async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let answer = request.send().await?;
        let (code, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        Ok(Answer { code, headers, body })
    }
}

impl Answer {
    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer}: {self:?}"))
    }

    /// How many items the page has.
    pub(crate) fn items(&self) -> usize {
        self.body["items"]
            .as_array()
            .unwrap_or_else(|| panic!("no items: {self:?}"))
            .len()
    }

    /// Whether it is a JSON problem with this status.
    pub(crate) fn is_problem(&self, code: u16) -> bool {
        self.code == code
            && self.headers["content-type"] == "application/problem+json"
            && self.body["status"] == code
            && self.body["detail"].is_string()
    }
}
