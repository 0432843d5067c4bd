//! The address of a request, in its parts.

use url::Url;

/// An address that a step can request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Scheme, host and port, such as `https://shop.example`.
    pub origin: String,
    /// Path and query, beginning with `/`.
    pub path: String,
}

/// Takes an address apart.
///
/// # Errors
/// Why a step cannot request the address.
pub(super) fn parse(text: &str) -> Result<Address, String> {
    let url = Url::parse(text).map_err(|error| {
        // A query may have secrets.
        let text = text.split('?').next().unwrap_or_default();
        format!("{text:?} is not a URL: {error}")
    })?;
    match url.scheme() {
        "http" | "https" => {}
        "ws" | "wss" => return Err("it is a WebSocket: write a step with websocket".to_owned()),
        other => return Err(format!("{other}: is not a scheme that a load test can request")),
    }
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Ok(Address {
        origin: url.origin().ascii_serialization(),
        path,
    })
}
