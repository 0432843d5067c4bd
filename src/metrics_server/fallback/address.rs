//! The address of an adapter, as `--fallback-custom` and `--fallback-external` name it.

use std::{fmt, str::FromStr};

/// The port of an adapter whose flag names none.
const HTTPS: u16 = 443;

/// Host and port of an adapter: the DNS name of its Service, for which its certificate must be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterAddress {
    host: String,
    port: u16,
}

/// Why a text is no address of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not the address of a Service: {problem}; write it as NAME.NAMESPACE.svc or NAME.NAMESPACE.svc:PORT"
)]
pub struct AddressError {
    text: String,
    problem: &'static str,
}

impl AdapterAddress {
    /// The URL of a path that begins with `/`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("https://{self}{path}")
    }
}

impl FromStr for AdapterAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let problem = |problem| AddressError {
            text: text.to_owned(),
            problem,
        };
        if text.contains("://") {
            return Err(problem("it is a URL, and the scheme is always https"));
        }
        let (host, port) = match text.split_once(':') {
            None => (text, HTTPS),
            Some((host, port)) => match port.parse() {
                Ok(port) if port > 0 => (host, port),
                _ => return Err(problem("the port is no number from 1 to 65535")),
            },
        };
        let is_label = |label: &str| {
            let ends_well = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
            (1..=63).contains(&label.len())
                && label
                    .chars()
                    .all(|char| char.is_ascii_alphanumeric() || char == '-')
                && ends_well(label.chars().next())
                && ends_well(label.chars().last())
        };
        if host.len() > 253 || !host.split('.').all(is_label) {
            return Err(problem("the host is no DNS name"));
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

impl fmt::Display for AdapterAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_https_unless_the_address_names_one() {
        let shown = |text: &str| text.parse::<AdapterAddress>().map(|address| address.to_string());
        assert_eq!(
            shown("prometheus-adapter.monitoring.svc").unwrap(),
            "prometheus-adapter.monitoring.svc:443"
        );
        assert_eq!(shown("Adapter.m.svc:6443").unwrap(), "adapter.m.svc:6443");
        assert_eq!(
            "a.b.svc:1".parse::<AdapterAddress>().unwrap().url("/apis/x"),
            "https://a.b.svc:1/apis/x"
        );
    }

    #[test]
    fn a_text_that_could_lead_elsewhere_is_refused() {
        for text in [
            "",
            ":443",
            "a:0",
            "a:65536",
            "a:443:1",
            "https://a.b.svc",
            "a/b",
            "a.b.svc/apis",
            "user@a.b.svc",
            "a..b",
            "-a.b",
            "a?b",
            "a b",
            "[::1]:443",
            &"a".repeat(64),
        ] {
            let error = text.parse::<AdapterAddress>().unwrap_err().to_string();
            assert!(error.contains("NAME.NAMESPACE.svc"), "{text}: {error}");
        }
    }
}
