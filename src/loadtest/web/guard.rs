//! Decides which requests are answered. A page of another site that runs in the user's browser can send requests to
//! this server too; it must neither read anything nor stop the run.
//!
//! Pure: it sees the head of a request and says the route or the refusal.

use std::net::IpAddr;

use hyper::{
    HeaderMap, Method, Request, StatusCode,
    header::{HOST, HeaderName, ORIGIN},
    http::uri::Authority,
};

use crate::token::Token;

/// What a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The live page.
    Page,
    /// Its script.
    Script,
    /// Its style sheet.
    Style,
    /// The events with what is new.
    Events,
    /// The report of a run that is over.
    Report,
    /// Ends the run.
    Stop,
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// The name in the address is not one of this server: another site may have pointed its own name here.
    #[error("open the address that vas printed: this server has no other name")]
    Host,
    /// A page of another site sent the request.
    #[error("requests of other sites are refused")]
    Origin,
    /// The token or the path is wrong. The words do not say which.
    #[error("open the address that vas printed: there is nothing here")]
    NotFound,
    /// The method does not fit the path.
    #[error("this path takes {0} only")]
    Method(&'static str),
}

impl Refusal {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }
}

/// What requests are checked against.
#[derive(Debug)]
pub(super) struct Guard {
    /// The secret of the address.
    pub(super) token: Token,
    /// Whether the server can be reached from other machines.
    pub(super) remote: bool,
}

impl Guard {
    /// The route of a request.
    ///
    /// # Errors
    /// The first reason not to answer it.
    pub(super) fn route<B>(&self, request: &Request<B>) -> Result<Route, Refusal> {
        let host = only(request.headers(), &HOST).ok_or(Refusal::Host)?;
        if request.uri().authority().is_some() || !self.is_own(host) {
            return Err(Refusal::Host);
        }
        if request.headers().contains_key(ORIGIN)
            && only(request.headers(), &ORIGIN).and_then(|origin| origin.strip_prefix("http://"))
                != Some(host)
        {
            return Err(Refusal::Origin);
        }
        let path = request.uri().path().strip_prefix('/').unwrap_or_default();
        let (token, path) = path.split_once('/').ok_or(Refusal::NotFound)?;
        if !self.token.is(token) {
            return Err(Refusal::NotFound);
        }
        let (route, method, name) = match path {
            "" => (Route::Page, Method::GET, "GET"),
            "live.js" => (Route::Script, Method::GET, "GET"),
            "live.css" => (Route::Style, Method::GET, "GET"),
            "events" => (Route::Events, Method::GET, "GET"),
            "report" => (Route::Report, Method::GET, "GET"),
            "stop" => (Route::Stop, Method::POST, "POST"),
            _ => return Err(Refusal::NotFound),
        };
        if *request.method() == method {
            Ok(route)
        } else {
            Err(Refusal::Method(name))
        }
    }

    /// Whether a Host header can only stand for this server. A site that points its name to this machine (DNS
    /// rebinding) sends that name, so no name but `localhost` is taken. The port is free: a tunnel changes it.
    fn is_own(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') {
            return false;
        }
        let name = authority.host();
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        match bare.unwrap_or(name).parse::<IpAddr>() {
            Ok(address) => self.remote || address.is_loopback(),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// The value of a header that must not be there twice.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(remote: bool) -> Guard {
        Guard {
            token: Token::random().unwrap(),
            remote,
        }
    }

    /// The verdict on a request with these headers; `TOKEN` in the path becomes the token.
    fn verdict(guard: &Guard, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Route, Refusal> {
        let mut request = Request::builder()
            .method(method)
            .uri(path.replace("TOKEN", guard.token.text()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.route(&request.body(()).unwrap())
    }

    #[test]
    fn only_names_that_nobody_else_can_have_are_taken() {
        let here = [
            "127.0.0.1:81",
            "localhost:81",
            "LocalHost",
            "[::1]:81",
            "127.0.0.1",
        ];
        let elsewhere = ["192.0.2.7:81", "[2001:db8::1]:81"];
        let foreign = [
            "evil.example:81",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "a@127.0.0.1:81",
            "",
            "localhost:81, evil.example",
        ];
        let (local, remote) = (guard(false), guard(true));
        let taken =
            |guard: &Guard, host| verdict(guard, "GET", "/TOKEN/", &[("host", host)]) == Ok(Route::Page);
        for host in here {
            assert!(taken(&local, host) && taken(&remote, host), "{host}");
        }
        for host in elsewhere {
            assert!(!taken(&local, host) && taken(&remote, host), "{host}");
        }
        for host in foreign {
            assert!(!taken(&local, host) && !taken(&remote, host), "{host}");
        }
    }

    #[test]
    fn a_host_that_is_missing_or_doubled_is_refused() {
        let guard = guard(false);
        let twice = [("host", "localhost"), ("host", "evil.example")];
        for headers in [&[][..], &twice] {
            assert_eq!(verdict(&guard, "GET", "/TOKEN/", headers), Err(Refusal::Host));
        }
        let absolute = verdict(
            &guard,
            "GET",
            "http://evil.example/TOKEN/",
            &[("host", "localhost")],
        );
        assert_eq!(absolute, Err(Refusal::Host));
    }

    #[test]
    fn only_the_page_itself_may_send_an_origin() {
        let guard = guard(false);
        let of = |origin| {
            verdict(
                &guard,
                "POST",
                "/TOKEN/stop",
                &[("host", "127.0.0.1:81"), ("origin", origin)],
            )
        };
        assert_eq!(of("http://127.0.0.1:81"), Ok(Route::Stop));
        for origin in [
            "null",
            "http://evil.example",
            "http://127.0.0.1:82",
            "https://127.0.0.1:81",
            "http://localhost:81",
            "",
        ] {
            assert_eq!(of(origin), Err(Refusal::Origin), "{origin}");
        }
    }

    #[test]
    fn a_path_needs_the_token_and_its_own_method() {
        let guard = guard(false);
        let of = |method, path| verdict(&guard, method, path, &[("host", "localhost")]);
        assert_eq!(of("GET", "/TOKEN/report"), Ok(Route::Report));
        for path in [
            "/",
            "/TOKEN",
            "/events",
            "/0/events",
            "/0TOKEN/",
            "/TOKEN/other",
            "//TOKEN/",
        ] {
            assert_eq!(of("GET", path), Err(Refusal::NotFound), "{path}");
        }
        assert_eq!(of("GET", "/TOKEN/stop"), Err(Refusal::Method("POST")));
        assert_eq!(of("POST", "/TOKEN/"), Err(Refusal::Method("GET")));
        assert_eq!(of("OPTIONS", "/TOKEN/stop"), Err(Refusal::Method("POST")));
        assert_eq!(
            of("GET", "/0/stop"),
            Err(Refusal::NotFound),
            "no token, no word about methods"
        );
    }
}
