//! Content negotiation: what a client accepts (`Accept`) and which version it has already (`If-None-Match`).
//!
//! No `Accept` is refused: the HPA requests protobuf but reads JSON as well, and RFC 9110 section 12.4.1 lets
//! a server answer as if the header were absent. Sources: RFC 9110; `k8s.io/apiserver`
//! pkg/endpoints/handlers/negotiation.

use axum::http::{
    HeaderMap, HeaderName,
    header::{ACCEPT, IF_NONE_MATCH},
};

/// The form of the answer to `/apis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiscoveryForm {
    /// An APIGroupList, which lists only groups and versions.
    Plain,
    /// An APIGroupDiscoveryList of `apidiscovery.k8s.io/v2`, which lists all resources.
    Aggregated,
}

/// The form that the client prefers among those that are served. Plain if the client names no served form,
/// such as one that knows only `v2beta1`: plain is what such clients fall back to.
pub(crate) fn discovery_form(headers: &HeaderMap) -> DiscoveryForm {
    let text = joined(headers, &ACCEPT);
    let mut ranges: Vec<MediaRange> = split(&text, ',').filter_map(MediaRange::parse).collect();
    // The sort is stable: of two ranges with equal weight, the first one wins.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.weight));
    ranges
        .iter()
        .filter(|range| range.weight > 0)
        .find_map(MediaRange::form)
        .unwrap_or(DiscoveryForm::Plain)
}

/// Whether the client already has the document with the entity tag `etag`.
pub(crate) fn is_unchanged(headers: &HeaderMap, etag: &str) -> bool {
    joined(headers, &IF_NONE_MATCH)
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// All values of a header, joined to one list. A value that is not ASCII text is left out.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}

/// One entry of `Accept`.
struct MediaRange {
    /// The media type, such as `application/json`, `application/*` or `*/*`, in lower case.
    media: String,
    /// Parameters: names in lower case, values without quotes.
    parameters: Vec<(String, String)>,
    /// The weight `q` in thousandths, 0 to 1000; 0 excludes the media type.
    weight: u16,
}

impl MediaRange {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = split(text, ';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let mut parameters: Vec<(String, String)> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), unquoted(value.trim())))
            .collect();
        let weight = parameters.iter().position(|(name, _)| name == "q");
        let weight = weight.map(|at| parameters.swap_remove(at).1);
        media.contains('/').then(|| Self {
            media,
            parameters,
            weight: weight.map_or(1000, |weight| thousandths(&weight)),
        })
    }

    /// The served form that this range requests, if any. Parameters without a meaning here, such as
    /// `profile`, are ignored.
    fn form(&self) -> Option<DiscoveryForm> {
        if !["application/json", "application/*", "*/*"].contains(&self.media.as_str()) {
            return None;
        }
        let parameter = |wanted: &str| {
            let found = self.parameters.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        match (parameter("g"), parameter("v"), parameter("as")) {
            (None, None, None) => Some(DiscoveryForm::Plain),
            (Some("apidiscovery.k8s.io"), Some("v2"), Some("APIGroupDiscoveryList")) => {
                Some(DiscoveryForm::Aggregated)
            }
            _ => None,
        }
    }
}

/// Splits at a separator outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let here = character == separator && !quoted;
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && character == '\\' && !escaped;
        here
    })
}

fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| value.to_owned(), |inner| inner.replace('\\', ""))
}

/// A weight such as `0.8` in thousandths. Text that is not a weight counts as 1, as in Kubernetes.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let fraction = format!("{fraction:0<3}");
    match (whole, fraction.parse::<u16>()) {
        ("0", Ok(fraction)) if fraction < 1000 => fraction,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const V2: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const V2BETA1: &str = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let value = |value: &&str| (name.clone(), HeaderValue::from_str(value).unwrap());
        values.iter().map(value).collect()
    }

    fn form(accept: &[&str]) -> DiscoveryForm {
        discovery_form(&headers(ACCEPT, accept))
    }

    #[test]
    fn aggregated_discovery_is_given_to_those_who_ask_for_v2() {
        for accept in [
            V2.to_owned(),
            // What the aggregator of 1.34 and client-go send.
            format!("{V2},{V2BETA1}"),
            format!("{V2BETA1},{V2}"),
            format!("{V2},application/json"),
            format!("{V2};profile=nopeer,{V2},application/json"),
            format!("application/json;q=0.9, {V2}"),
            "application/json; as=\"APIGroupDiscoveryList\" ;V=v2; g=apidiscovery.k8s.io".to_owned(),
            format!("text/html;note=\"a, b;c\",{V2}"),
        ] {
            assert_eq!(form(&[&accept]), DiscoveryForm::Aggregated, "{accept}");
        }
        assert_eq!(form(&["text/html", V2]), DiscoveryForm::Aggregated);
    }

    #[test]
    fn everybody_else_gets_plain_discovery_and_nobody_is_refused() {
        for accept in [
            String::new(),
            "*/*".to_owned(),
            "application/json".to_owned(),
            "application/vnd.kubernetes.protobuf, */*".to_owned(),
            "application/vnd.kubernetes.protobuf".to_owned(),
            V2BETA1.to_owned(),
            format!("application/json,{V2}"),
            format!("{V2};q=0.5,application/json"),
            format!("{V2};q=0"),
            format!("{V2};q=0.000,*/*;q=0.1"),
            "application/json;as=Table;g=meta.k8s.io;v=v1,application/json".to_owned(),
            "application/json;as=APIGroupDiscoveryList".to_owned(),
            format!("text/html;note=\"{V2}"),
            ";;,,=;q=x".to_owned(),
        ] {
            assert_eq!(form(&[&accept]), DiscoveryForm::Plain, "{accept}");
        }
        assert_eq!(discovery_form(&HeaderMap::new()), DiscoveryForm::Plain);
    }

    #[test]
    fn a_document_is_unchanged_for_those_who_name_its_tag() {
        let unchanged = |tags: &[&str]| is_unchanged(&headers(IF_NONE_MATCH, tags), "\"one\"");
        assert!(unchanged(&["\"one\""]));
        assert!(unchanged(&["\"two\", W/\"one\""]));
        assert!(unchanged(&["\"two\"", "\"one\""]));
        assert!(unchanged(&["*"]));
        assert!(!unchanged(&["\"two\""]));
        assert!(!unchanged(&["one"]), "an entity tag is quoted");
        assert!(!is_unchanged(&HeaderMap::new(), "\"one\""));
    }

    proptest! {
        #[test]
        fn any_accept_is_answered(accept in "[ -~]{0,80}") {
            form(&[&accept]);
        }

        #[test]
        fn the_greater_weight_decides(aggregated in 1_u16..1000, plain in 1_u16..1000) {
            let accept = format!("application/json;q=0.{plain:03},{V2};q=0.{aggregated:03}");
            let expected = if aggregated > plain { DiscoveryForm::Aggregated } else { DiscoveryForm::Plain };
            prop_assert_eq!(form(&[&accept]), expected);
        }
    }
}
