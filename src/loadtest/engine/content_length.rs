//! The header `Content-Length` of a request, which always is the length of its body.

use hyper::{
    HeaderMap, Method,
    body::Bytes,
    header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING},
};

use crate::http::{Detail, Failure};

/// Methods that usually have a body. A server may refuse one without a length (411).
const WITH_BODY: [Method; 3] = [Method::POST, Method::PUT, Method::PATCH];

/// Makes the header right before a request is sent. The length of a body is added by the connection, so a header
/// that says the same is taken out. A method that usually has a body says that there is none.
///
/// # Errors
/// When the author's header says another length: the body would be cut off, or the server would wait for the rest.
pub(super) fn correct(headers: &mut HeaderMap, method: &Method, body: &Bytes) -> Result<(), Failure> {
    if let Some(given) = headers.remove(CONTENT_LENGTH) {
        let given = given.to_str().ok().and_then(|given| given.trim().parse().ok());
        if given != Some(body.len()) {
            let length = body.len();
            let words = format!(
                "Content-Length is not the length of the body, which has {length} bytes; leave it out"
            );
            return Err(Failure::Request(words, Detail::NONE));
        }
    }
    if body.is_empty() && WITH_BODY.contains(method) && !headers.contains_key(TRANSFER_ENCODING) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    }
    Ok(())
}
