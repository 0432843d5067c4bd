//! A request, ready to send. One without variables is built once.

use std::{collections::BTreeMap, rc::Rc};

use hyper::{
    Method, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue},
};

use super::{
    super::content_length,
    headers::{header_names, rendered_headers},
};
use crate::{
    http::{Detail, Failure, Outgoing, Protocol, Target},
    scenario::{
        check::Check,
        extract::Extract,
        inputs::Shared,
        model::{Request, Statuses},
        payload::Payload,
        template::Template,
    },
};

/// A request, ready to send.
#[derive(Debug)]
pub(in crate::engine) struct PlannedRequest {
    /// The request, where no variable occurs in it.
    pub(super) constant: Option<Outgoing>,
    method: Method,
    path: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Vec<Piece>>,
    /// Statuses that count as answered.
    pub(in crate::engine) expect: Statuses,
    /// Variables that take their values from the answer.
    pub(in crate::engine) extract: Vec<(String, Extract)>,
    /// Further checks on an answer.
    pub(in crate::engine) checks: Vec<Check>,
    /// Whether redirects are followed.
    pub(in crate::engine) follow: bool,
}

/// A piece of the body of a request, ready to send.
#[derive(Debug)]
enum Piece {
    Text(Template),
    Bytes(Bytes),
}

impl Piece {
    fn of(payload: &Payload) -> Self {
        match payload {
            Payload::Text(text) => Self::Text(text.clone()),
            Payload::Binary(bytes) => Self::Bytes(bytes.clone().into()),
        }
    }

    fn is_constant(&self) -> bool {
        match self {
            Self::Text(text) => text.constant().is_some(),
            Self::Bytes(_) => true,
        }
    }

    fn render(&self, values: &BTreeMap<String, String>) -> Result<Bytes, Failure> {
        Ok(match self {
            Self::Text(text) => text.render(values)?.into(),
            Self::Bytes(bytes) => bytes.clone(),
        })
    }
}

impl PlannedRequest {
    pub(super) fn new(
        request: &Request,
        common: &[(String, Template)],
        shared: &Shared,
        target: &Target,
    ) -> Result<Self, String> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("{:?} is not a method of HTTP", request.method))?;
        let mut headers = header_names(common, shared)?;
        headers.extend(header_names(&request.headers, shared)?);
        let mut planned = Self {
            constant: None,
            method,
            path: request.path.clone().with_secrets(&shared.names),
            headers,
            body: request
                .body
                .as_ref()
                .map(|body| body.iter().map(Piece::of).collect()),
            expect: request.expect.clone(),
            extract: request
                .extract
                .iter()
                .map(|(name, from)| (name.clone(), from.clone()))
                .collect(),
            checks: request.checks.clone(),
            follow: request.follow.unwrap_or(target.follow),
        };
        // Without variables the request is the same for everybody: build it once, and find errors before the
        // run.
        if planned.is_constant() {
            let constant = planned.render(target, &BTreeMap::new());
            planned.constant = Some(constant.map_err(|failure| match failure.detail() {
                Some(detail) => format!("{failure}: {detail}"),
                None => failure.to_string(),
            })?);
        }
        Ok(planned)
    }

    /// Whether no variable occurs in the request.
    fn is_constant(&self) -> bool {
        let headers = self.headers.iter().map(|(_, value)| value);
        let mut templates = [&self.path].into_iter().chain(headers);
        let mut pieces = self.body.iter().flatten();
        templates.all(|template| template.constant().is_some()) && pieces.all(Piece::is_constant)
    }

    /// Whether the scenario looks at the body of the answer.
    pub(in crate::engine) fn reads_body(&self) -> bool {
        self.checks.iter().any(Check::is_of_body) || self.extract.iter().any(|(_, from)| from.is_in_body())
    }

    pub(super) fn render(
        &self,
        target: &Target,
        values: &BTreeMap<String, String>,
    ) -> Result<Outgoing, Failure> {
        let path = target.path(&self.path.render(values)?);
        let mut headers = rendered_headers(target, &self.headers, values)?;
        let url = match (target.protocol, headers.remove(HOST)) {
            (Protocol::Http1, host) => {
                headers.extend(host.map(|host| (HOST, host)));
                path.clone()
            }
            (Protocol::Http2, None) => format!("{}{path}", target.origin),
            // Over HTTP/2 the host is the `:authority` of the URL, and there is no Host header (RFC 9113,
            // section 8.3.1).
            (Protocol::Http2, Some(host)) => {
                let scheme = if target.tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}{path}", host.to_str().unwrap_or_default())
            }
        };
        let uri: Uri = url.parse().map_err(|_| {
            let words = "its path cannot be in a URL, or Host not be its host";
            // The path may have a value of the environment in it, which is shown nowhere.
            let detail = if self.path.is_secret() {
                Detail::NONE
            } else {
                Detail::of(&path)
            };
            Failure::Request(words.to_owned(), detail)
        })?;
        let body = match &self.body {
            Some(body) => {
                headers
                    .entry(CONTENT_TYPE)
                    .or_insert(HeaderValue::from_static("application/json"));
                match body.as_slice() {
                    [piece] => piece.render(values)?,
                    pieces => {
                        let mut all = Vec::new();
                        for piece in pieces {
                            all.extend_from_slice(&piece.render(values)?);
                        }
                        all.into()
                    }
                }
            }
            None => Bytes::new(),
        };
        content_length::correct(&mut headers, &self.method, &body)?;
        Ok(Outgoing {
            method: self.method.clone(),
            uri,
            headers: Rc::new(headers),
            body,
        })
    }
}
