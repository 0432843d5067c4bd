//! User and password in a URL: they are sent as a header and never shown.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{Uri, header::HeaderValue};
use percent_encoding::percent_decode_str;

/// The header of Basic authentication (RFC 7617) for the part before the `@` of a URL. `None` if the user has
/// a colon: the header cannot tell that colon from the one before the password.
pub(super) fn basic(user_info: &str) -> Option<HeaderValue> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut both: Vec<u8> = percent_decode_str(user).collect();
    if both.contains(&b':') {
        return None;
    }
    both.push(b':');
    both.extend(percent_decode_str(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A URL, or a text that was meant to be one, with its credentials hidden. In a text that is no URL of a
/// target, everything before the last `@` is hidden, because it may be a password.
pub fn masked(url: &str) -> String {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        _ => (String::new(), url),
    };
    let is_url = url_of_host(url).is_some();
    let end = rest
        .find(['/', '?', '#'])
        .filter(|_| is_url)
        .unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}***@{host}{path}"),
        None => url.to_owned(),
    }
}

/// Parses a text that is certainly a URL with a host, so that credentials are where they belong. Two parsers
/// must agree, because each alone accepts some typos: the one of browsers takes `http:/user:password@host`,
/// and the other takes `http://user:pass/word@host`, with the host `user` and no port.
pub(crate) fn url_of_host(text: &str) -> Option<Uri> {
    url::Url::parse(text).ok()?;
    let uri: Uri = text.parse().ok()?;
    uri.host().is_some_and(|host| !host.is_empty()).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_decoded_before_they_are_encoded() {
        for (given, both) in [
            ("user:pass", "user:pass"),
            ("token", "token:"),
            ("a:b%3Ac%40", "a:b:c@"),
            (":p", ":p"),
        ] {
            let value = basic(given).unwrap();
            assert_eq!(value, format!("Basic {}", STANDARD.encode(both)).as_str());
            assert!(value.is_sensitive());
        }
        assert_eq!(basic("a%3Ab:c"), None);
    }

    #[test]
    fn whatever_may_be_credentials_is_hidden_and_nothing_else() {
        for (url, shown) in [
            ("http://user:pass@host:80/app/?a=b", "http://***@host:80/app/?a=b"),
            ("https://token@host", "https://***@host"),
            ("http://host/@user?mail=a@b", "http://host/@user?mail=a@b"),
            ("http://host:8080", "http://host:8080"),
            ("http://user:pa/ss@ho st/", "http://***@ho st/"),
            ("user:pass@host", "***@host"),
            ("http:/user:pass@host", "***@host"),
            ("http:///user:pass@host/", "http://***@host/"),
            ("http:\\\\user:pass@host", "***@host"),
            ("http://user:pa/ss@host/", "http://***@host/"),
            ("user:pass@http://host", "***@http://host"),
            ("http://user:pa#ss@host/", "http://***@host/"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
