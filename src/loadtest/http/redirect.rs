//! Where a redirect leads, and what is sent there: never credentials to another host.

use std::rc::Rc;

use hyper::{
    HeaderMap, Method, Uri,
    body::Bytes,
    header::{
        AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, LOCATION,
        PROXY_AUTHORIZATION, TRANSFER_ENCODING,
    },
};
use url::{Position, Url};

use super::{Answer, Failure, Outgoing};
use crate::model::traffic::is_redirect;

/// The greatest number of redirects of one request; many clients have this limit.
pub(crate) const MOST_REDIRECTS: u32 = 10;

/// The longest URL that is followed, in bytes.
const LONGEST: usize = 16 * 1024;

/// Headers that hold credentials. Any other header that holds no secret is sent to other hosts too, as curl
/// does.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];

/// The next request of a chain of redirects.
#[derive(Debug)]
pub(super) struct Next {
    /// The URL, without credentials.
    pub(super) url: Url,
    /// The request. Its URI and Host are still those of the request before.
    pub(super) outgoing: Outgoing,
}

/// Whether an answer is a redirect, even if it leads to nothing that HTTP can reach.
pub(super) fn is_one(answer: &Answer) -> bool {
    is_redirect(answer.status) && answer.headers.contains_key(LOCATION)
}

/// The request that follows after the answer of `here` to `outgoing`; `None` if the answer is no redirect.
///
/// # Errors
/// When the Location is not an HTTP URL.
pub(super) fn next(answer: &Answer, here: &Url, outgoing: &Outgoing) -> Result<Option<Next>, Failure> {
    let Some(location) = answer.headers.get(LOCATION).filter(|_| is_one(answer)) else {
        return Ok(None);
    };
    // As browsers do: after a form was sent with POST, the page is read with GET (RFC 9110, section 15.4).
    let becomes_get = match answer.status {
        301 | 302 => outgoing.method == Method::POST,
        303 => outgoing.method != Method::HEAD,
        _ => false,
    };
    let location = location
        .to_str()
        .ok()
        .filter(|location| location.len() <= LONGEST);
    let url = location.and_then(|location| here.join(location).ok());
    let mut url = url.ok_or(Failure::Redirect("its Location is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Failure::Redirect("its Location is neither http nor https"));
    }
    // Credentials that a server puts into a URL are not sent.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_fragment(None);
    let mut headers = HeaderMap::clone(&outgoing.headers);
    let mut next = outgoing.clone();
    if becomes_get {
        next.method = Method::GET;
        next.body = Bytes::new();
        for of_the_body in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(of_the_body);
        }
    }
    // An origin is scheme, host and port: another port is another server.
    if url.origin() != here.origin() {
        // What came from the environment or from the target's URL is for the target alone.
        let secrets = headers.iter().filter(|(_, value)| value.is_sensitive());
        let secrets: Vec<HeaderName> = secrets.map(|(name, _)| name.clone()).collect();
        for name in CREDENTIALS.iter().chain(&secrets) {
            headers.remove(name);
        }
    }
    next.headers = Rc::new(headers);
    Ok(Some(Next { url, outgoing: next }))
}

impl Next {
    /// The request for the target itself: scheme, authority and `Host` are those of `first`, so that a `Host`
    /// of the scenario is kept.
    pub(super) fn for_target(&self, first: &Outgoing) -> Result<Outgoing, Failure> {
        let mut parts = first.uri.clone().into_parts();
        let path = &self.url[Position::BeforePath..Position::AfterQuery];
        parts.path_and_query = path.parse().ok();
        let mut outgoing = self.outgoing.clone();
        outgoing.uri = Uri::from_parts(parts).map_err(|_| Failure::Redirect("its Location is not a URL"))?;
        self.with_host(&mut outgoing, first.headers.get(HOST).cloned());
        Ok(outgoing)
    }

    /// The request for another host, over HTTP/1.1.
    pub(super) fn for_other_host(&self) -> Result<Outgoing, Failure> {
        let refused = || Failure::Redirect("its Location is not a URL");
        let path = &self.url[Position::BeforePath..Position::AfterQuery];
        let mut outgoing = self.outgoing.clone();
        outgoing.uri = path.parse().map_err(|_| refused())?;
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        self.with_host(&mut outgoing, Some(host.parse().map_err(|_| refused())?));
        Ok(outgoing)
    }

    fn with_host(&self, outgoing: &mut Outgoing, host: Option<hyper::header::HeaderValue>) {
        let mut headers = HeaderMap::clone(&self.outgoing.headers);
        match host {
            Some(host) => drop(headers.insert(HOST, host)),
            None => drop(headers.remove(HOST)),
        }
        outgoing.headers = Rc::new(headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(method: Method) -> Outgoing {
        let headers = [
            (AUTHORIZATION, "Basic abc"),
            (COOKIE, "a=b"),
            (CONTENT_TYPE, "text/plain"),
            (CONTENT_LENGTH, "4"),
            (TRANSFER_ENCODING, "chunked"),
            (HOST, "h"),
        ];
        let headers = headers.map(|(name, value)| (name, value.parse().unwrap()));
        let mut headers: HeaderMap = headers.into_iter().collect();
        let mut key = hyper::header::HeaderValue::from_static("k3y");
        key.set_sensitive(true);
        headers.insert("x-api-key", key);
        Outgoing {
            method,
            uri: "/app/form".parse().unwrap(),
            headers: Rc::new(headers),
            body: "body".into(),
        }
    }

    fn answer(status: u16, location: &str) -> Answer {
        Answer {
            status,
            headers: [(LOCATION, location.parse().unwrap())].into_iter().collect(),
            body: Bytes::new(),
        }
    }

    fn led(status: u16, location: &str, method: Method) -> Result<Option<Next>, Failure> {
        let here = Url::parse("http://h/app/form").unwrap();
        next(&answer(status, location), &here, &outgoing(method))
    }

    #[test]
    fn a_form_becomes_a_page_and_other_methods_stay() {
        for (status, method, expected) in [
            (301, Method::POST, Method::GET),
            (302, Method::POST, Method::GET),
            (302, Method::PUT, Method::PUT),
            (303, Method::PUT, Method::GET),
            (303, Method::HEAD, Method::HEAD),
            (307, Method::POST, Method::POST),
            (308, Method::POST, Method::POST),
        ] {
            let next = led(status, "/there?a=b#c", method).unwrap().unwrap();
            assert_eq!(next.url.as_str(), "http://h/there?a=b");
            assert_eq!(next.outgoing.method, expected, "{status}");
            let changed = expected == Method::GET;
            assert_eq!(next.outgoing.body.is_empty(), changed);
            for name in [CONTENT_TYPE, CONTENT_LENGTH, TRANSFER_ENCODING] {
                assert_eq!(next.outgoing.headers.contains_key(name), !changed);
            }
        }
        for status in [200, 300, 304, 404] {
            assert!(led(status, "/there", Method::GET).unwrap().is_none());
        }
    }

    #[test]
    fn credentials_go_to_no_other_host_port_or_scheme() {
        for (location, kept) in [
            ("../there", true),
            ("//h/there", true),
            ("http://h:80/there", true),
            ("http://h:8080/there", false),
            ("https://h/there", false),
            ("http://user:secret@other/there", false),
        ] {
            let next = led(302, location, Method::GET).unwrap().unwrap();
            for name in [AUTHORIZATION, COOKIE, HeaderName::from_static("x-api-key")] {
                assert_eq!(next.outgoing.headers.contains_key(name), kept, "{location}");
            }
            assert!(!next.url.as_str().contains("secret"));
            assert_eq!(next.url.path(), "/there");
        }
    }

    #[test]
    fn the_host_is_the_first_one_at_home_and_the_new_one_elsewhere() {
        let next = led(302, "http://other:81/there?a", Method::GET).unwrap().unwrap();
        let elsewhere = next.for_other_host().unwrap();
        assert_eq!(
            (elsewhere.uri.to_string().as_str(), &elsewhere.headers[HOST]),
            ("/there?a", &"other:81".parse().unwrap())
        );
        let mut first = outgoing(Method::GET);
        let home = next.for_target(&first).unwrap();
        assert_eq!(
            (home.uri.to_string().as_str(), &home.headers[HOST]),
            ("/there?a", &"h".parse().unwrap())
        );
        first.uri = "http://virtual/app".parse().unwrap();
        Rc::make_mut(&mut first.headers).remove(HOST);
        let home = next.for_target(&first).unwrap();
        assert_eq!(home.uri, "http://virtual/there?a");
        assert!(!home.headers.contains_key(HOST));
    }

    #[test]
    fn what_leads_nowhere_is_a_failure_without_the_place() {
        for location in ["http://", "ftp://h/", "mailto:a@b", "http://[x"] {
            let failure = led(302, location, Method::GET).unwrap_err().to_string();
            assert!(failure.starts_with("redirect: its Location is "), "{failure}");
        }
    }
}
