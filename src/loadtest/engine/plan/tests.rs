//! What is sent as the length of a body.

use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::*;
use crate::{
    http::{Protocol, TlsOptions},
    scenario::quick::{Level, Quick},
};

/// The value of Content-Length that vas adds to a request, or why the request cannot be sent. `headers` are those
/// of the command line.
fn length(
    method: &str,
    body: Option<&str>,
    headers: &[(HeaderName, &'static str)],
) -> Result<Option<String>, String> {
    let tls = TlsOptions::default();
    let path = std::path::Path::new("");
    let mut target = Target::parse("http://127.0.0.1:9", Protocol::Http1, &tls, path).unwrap();
    for (name, value) in headers {
        target
            .headers
            .append(name.clone(), HeaderValue::from_static(value));
    }
    let quick = Quick {
        method: method.to_owned(),
        body: body.map(str::to_owned),
        ..Quick::new(Level::Rate(1.0), Duration::from_secs(1), Vec::new())
    };
    let scenario = quick.scenario(false).unwrap();
    let plan = Plan::new(&scenario, &target).map_err(|error| error.to_string())?;
    let PlannedAction::Request(request) = &plan.journeys[0].steps[0].action else {
        panic!("it is a request");
    };
    let sent = request.outgoing(&target, &BTreeMap::new()).unwrap();
    let length = sent.headers.get(CONTENT_LENGTH);
    Ok(length.map(|length| length.to_str().unwrap().to_owned()))
}

#[test]
fn a_method_that_usually_has_a_body_says_that_there_is_none() {
    for (method, body, expected) in [
        ("POST", None, Some("0")),
        ("PUT", Some(""), Some("0")),
        ("PATCH", None, Some("0")),
        ("GET", None, None),
        ("DELETE", None, None),
        // The length of a body is added when it is sent.
        ("POST", Some("abc"), None),
    ] {
        assert_eq!(
            length(method, body, &[]).unwrap().as_deref(),
            expected,
            "{method} {body:?}"
        );
    }
    let chunked = [(hyper::header::TRANSFER_ENCODING, "chunked")];
    assert_eq!(length("POST", None, &chunked).unwrap(), None);
}

#[test]
fn a_length_that_is_not_that_of_the_body_is_refused() {
    let given = |value| length("POST", Some("abcdef"), &[(CONTENT_LENGTH, value)]);
    for wrong in ["3", "7", "six"] {
        let error = given(wrong).unwrap_err();
        assert!(
            error.contains("Content-Length") && error.contains("6 bytes"),
            "{error}"
        );
    }
    assert_eq!(given("6").unwrap(), None, "it is added when it is sent");
}
