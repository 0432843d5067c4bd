//! Parses and checks the configuration file, without reading the files that it names.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use serde_json::Value;

use super::fields::{Fields, Problem};
use crate::Limits;
use vas_core::{
    document::yaml,
    k8s::quantity,
    metrics::promql::{LabelName, Labels, Matcher, Matchers, ReservedLabel, Source},
};

/// The only version of the format.
const API_VERSION: &str = "config.scaling.voiceassist.io/v1alpha1";
const KIND: &str = "MetricsServerConfiguration";
/// Most servers in one file.
const MAX_SERVERS: usize = 64;
/// Defaults, which are the same as those of the flags.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);
const RESPONSE_SIZE: usize = 16 << 20;
/// Headers that cannot be configured, because the client or another field sets them.
const RESERVED: [&str; 9] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// The content of the configuration file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    pub(super) servers: Vec<ServerEntry>,
}

/// One server of the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServerEntry {
    /// Path of the entry in the document, for problems.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) url: String,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) client_certificate: Option<ClientCertificate>,
    pub(super) authorization: Option<Authorization>,
    pub(super) headers: Vec<Header>,
    pub(super) limits: Limits,
    pub(super) poll_interval: Duration,
    pub(super) source: Source,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ClientCertificate {
    pub(super) cert_file: PathBuf,
    pub(super) key_file: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Authorization {
    BearerToken {
        file: PathBuf,
    },
    Basic {
        username: String,
        password_file: PathBuf,
    },
}

/// A header of each query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// Path of the header in the document, for problems.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) value: HeaderValue,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum HeaderValue {
    Written(String),
    InFile(PathBuf),
}

/// Parses the text of a configuration file.
///
/// # Errors
/// All problems of the text.
pub(super) fn parse(text: &str) -> Result<Document, Vec<Problem>> {
    let value = yaml::parse_one(text).map_err(|error| {
        vec![Problem {
            path: String::new(),
            rule: format!("not one YAML document: {}", error.located()),
        }]
    })?;
    let mut problems = Vec::new();
    let mut fields = Fields::of("", value, &mut problems);
    for (field, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        if let Some(text) = fields.required_text(field)
            && text != expected
        {
            fields.refuse(field, format!("must be {expected}"));
        }
    }
    let entries = fields.list("prometheusServers");
    if entries.is_empty() {
        fields.refuse("prometheusServers", "must list at least one server");
    }
    if entries.len() > MAX_SERVERS {
        fields.refuse(
            "prometheusServers",
            format!("must list at most {MAX_SERVERS} servers"),
        );
    }
    let mut servers = Vec::new();
    let mut names = BTreeSet::new();
    for (path, value) in entries {
        let server = server(&path, value, fields.problems());
        if let Some(server) = server {
            if !names.insert(server.name.clone()) {
                fields.problems().push(Problem {
                    path: format!("{path}.name"),
                    rule: format!("{} is there twice; names are unique", server.name),
                });
            }
            servers.push(server);
        }
    }
    fields.finish();
    if problems.is_empty() {
        Ok(Document { servers })
    } else {
        Err(problems)
    }
}

fn server(path: &str, value: Value, problems: &mut Vec<Problem>) -> Option<ServerEntry> {
    let mut fields = Fields::of(path, value, problems);
    let name = fields.required_text("name");
    if let Some(name) = &name
        && !is_dns_label(name)
    {
        fields.refuse(
            "name",
            "must be a DNS label as prometheusServer of a metric is: a-z, 0-9 and -, at most 63",
        );
    }
    let url = fields.required_text("url");
    let is_https = url.as_deref().is_none_or(|url| url.starts_with("https:"));
    let ca_file = fields.text("caFile");
    let (cert_file, key_file) = (fields.text("certFile"), fields.text("keyFile"));
    for (field, other, given) in [
        ("certFile", "keyFile", &cert_file),
        ("keyFile", "certFile", &key_file),
    ] {
        if given.is_some() && [&cert_file, &key_file].iter().any(|file| file.is_none()) {
            fields.refuse(field, format!("needs {other} beside it"));
        }
    }
    for (field, given) in [
        ("caFile", &ca_file),
        ("certFile", &cert_file),
        ("keyFile", &key_file),
    ] {
        if given.is_some() && !is_https {
            fields.refuse(field, "has no effect without https in the url");
        }
    }
    let authorization = authorization(&mut fields);
    let headers = headers(&mut fields);
    let limits = Limits {
        timeout: fields.duration("timeout").unwrap_or(TIMEOUT),
        response_size: response_size(&mut fields).unwrap_or(RESPONSE_SIZE),
    };
    let poll_interval = fields.duration("pollInterval").unwrap_or(POLL_INTERVAL);
    let label =
        |fields: &mut Fields<'_>, field, default: &str| fields.parsed(field).or_else(|| default.parse().ok());
    let (namespace, pod) = (
        label(&mut fields, "namespaceLabel", "namespace"),
        label(&mut fields, "podLabel", "pod"),
    );
    let matchers = matchers(&mut fields);
    if let (Some(namespace), Some(pod)) = (&namespace, &pod)
        && let Some(label) = matchers.reserved(namespace, pod)
    {
        fields.refuse("matchers", ReservedLabel(label.clone()));
    }
    let bind_queries = fields.boolean("queryNamespaceMatcher").unwrap_or(true);
    fields.finish();
    Some(ServerEntry {
        path: path.to_owned(),
        name: name?,
        url: url?,
        ca_file: ca_file.map(PathBuf::from),
        client_certificate: cert_file.zip(key_file).map(|(cert, key)| ClientCertificate {
            cert_file: cert.into(),
            key_file: key.into(),
        }),
        authorization,
        headers,
        limits,
        poll_interval,
        source: Source {
            labels: Labels {
                namespace: namespace?,
                pod: pod?,
                matchers,
            },
            bind_queries,
        },
    })
}

/// Labels with values that every selector gets in addition, from a mapping.
fn matchers(fields: &mut Fields<'_>) -> Matchers {
    let Some(value) = fields.value("matchers") else {
        return Matchers::default();
    };
    let path = fields.at("matchers");
    let mut entries = Fields::of(&path, value, fields.problems());
    let texts = entries.all_texts();
    let mut matchers = Vec::new();
    for (label, value) in texts {
        match label.parse::<LabelName>() {
            Ok(label) => matchers.push(Matcher { label, value }),
            Err(error) => entries.refuse(&label, error),
        }
    }
    matchers.into_iter().collect()
}

fn authorization(fields: &mut Fields<'_>) -> Option<Authorization> {
    let token = fields.text("bearerTokenFile");
    let basic = fields.value("basicAuth");
    if token.is_some() && basic.is_some() {
        fields.refuse("basicAuth", "excludes bearerTokenFile; leave one of them out");
    }
    let Some(basic) = basic else {
        return token.map(|file| Authorization::BearerToken { file: file.into() });
    };
    let path = fields.at("basicAuth");
    let mut basic = Fields::of(&path, basic, fields.problems());
    let username = basic.required_text("username");
    if username.as_ref().is_some_and(|name| name.contains(':')) {
        basic.refuse("username", "must not contain a colon");
    }
    let password_file = basic.required_text("passwordFile");
    basic.finish();
    Some(Authorization::Basic {
        username: username?,
        password_file: password_file?.into(),
    })
}

fn headers(fields: &mut Fields<'_>) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for (path, value) in fields.list("headers") {
        let mut entry = Fields::of(&path, value, fields.problems());
        let name = entry.required_text("name");
        if let Some(name) = &name {
            if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                entry.refuse(
                    "name",
                    format!(
                        "{name} is not set here; for credentials there are bearerTokenFile and basicAuth"
                    ),
                );
            }
            if headers
                .iter()
                .any(|header| header.name.eq_ignore_ascii_case(name))
            {
                entry.refuse("name", format!("{name} is there twice"));
            }
        }
        let value = match (entry.text("value"), entry.text("valueFile")) {
            (Some(text), None) => Some(HeaderValue::Written(text)),
            (None, Some(file)) => Some(HeaderValue::InFile(file.into())),
            (Some(_), Some(_)) => {
                entry.refuse("valueFile", "excludes value; leave one of them out");
                None
            }
            (None, None) => {
                entry.refuse("value", "is required, or valueFile");
                None
            }
        };
        entry.finish();
        if let (Some(name), Some(value)) = (name, value) {
            headers.push(Header { path, name, value });
        }
    }
    headers
}

/// A size in bytes, as a number or a quantity such as `16Mi`.
fn response_size(fields: &mut Fields<'_>) -> Option<usize> {
    let text = match fields.value("maxResponseSize")? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        _ => String::new(),
    };
    let bytes = quantity::parse_str(&text).ok().and_then(quantity::Amount::whole);
    match bytes.and_then(|bytes| usize::try_from(bytes).ok()) {
        Some(bytes) if bytes > 0 => Some(bytes),
        _ => {
            fields.refuse(
                "maxResponseSize",
                "must be a positive number of bytes, such as 16Mi",
            );
            None
        }
    }
}

fn is_dns_label(name: &str) -> bool {
    let inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    name.len() <= 63 && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests;
