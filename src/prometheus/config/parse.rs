//! Reads the text of a configuration file, and checks the rules that its schema cannot say. The files that it
//! names are not read here. Everything that is wrong is reported together, each problem with its field path.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use serde::Deserialize as _;
use serde_json::Value;

use super::{
    document::{BasicAuthDocument, HeaderDocument, ServerDocument},
    model::{Authorization, ClientCertificate, Header, HeaderValue, ServerEntry},
    schema,
};
use crate::Limits;
use vas_core::{
    document::{DisplayKey, Problem, yaml},
    k8s::{duration, quantity},
    metrics::promql::{LabelName, Labels, Matcher, Matchers, ReservedLabel, Source},
};

/// Defaults, which are the same as those of the flags.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(4);
const RESPONSE_SIZE: usize = 16 << 20;
const NAMESPACE_LABEL: &str = "namespace";
const POD_LABEL: &str = "pod";
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

/// Parses the text of a configuration file into its servers.
///
/// # Errors
/// All problems of the text.
pub(super) fn servers(text: &str) -> Result<Vec<ServerEntry>, Vec<Problem>> {
    let document = yaml::parse_one(text).map_err(|error| {
        vec![Problem {
            path: String::new(),
            rule: format!("not one YAML document: {}", error.located()),
        }]
    })?;
    let mut problems = schema::check(&document);
    let mut broken = Vec::new();
    let mut servers = Vec::new();
    let entries = document.get("prometheusServers").and_then(Value::as_array);
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        let path = format!("prometheusServers[{index}]");
        match ServerDocument::deserialize(entry) {
            Ok(document) => servers.extend(Rules::of(&path, &mut broken).server(document)),
            // The schema has named a value of a wrong type already. Otherwise the schema admits what the types
            // refuse, which should not happen, and must not pass in silence.
            Err(error) if problems.is_empty() => broken.push(Problem {
                path,
                rule: error.to_string(),
            }),
            Err(_) => {}
        }
    }
    // A value that the schema refuses is refused by the rules too.
    broken.retain(|problem| problems.iter().all(|known| known.path != problem.path));
    problems.append(&mut broken);
    if problems.is_empty() {
        Ok(servers)
    } else {
        Err(problems)
    }
}

/// Checks the rules of one mapping of the document. A field that breaks a rule gives `None`, and a problem.
struct Rules<'a> {
    /// Path of the mapping in the document.
    path: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Rules<'a> {
    fn of(path: &'a str, problems: &'a mut Vec<Problem>) -> Self {
        Self { path, problems }
    }

    /// Adds a problem of a field.
    fn refuse(&mut self, field: &str, rule: impl Display) {
        self.problems.push(Problem {
            path: format!("{}.{field}", self.path),
            rule: rule.to_string(),
        });
    }

    /// The value, or a problem of the field with the error.
    fn valid<T>(&mut self, field: &str, value: Result<T, impl Display>) -> Option<T> {
        value.map_err(|error| self.refuse(field, error)).ok()
    }

    fn server(&mut self, document: ServerDocument) -> Option<ServerEntry> {
        let is_https = document.url.starts_with("https:");
        for (field, file) in [
            ("caFile", &document.ca_file),
            ("certFile", &document.cert_file),
            ("keyFile", &document.key_file),
        ] {
            if file.is_some() && !is_https {
                self.refuse(field, "has no effect without https in the url");
            }
        }
        let client_certificate = self.client_certificate(document.cert_file, document.key_file);
        let authorization = self.authorization(document.bearer_token_file, document.basic_auth);
        let headers = self.headers(document.headers.unwrap_or_default());
        let limits = Limits {
            timeout: self.duration("timeout", document.timeout).unwrap_or(TIMEOUT),
            response_size: self
                .response_size(document.max_response_size)
                .unwrap_or(RESPONSE_SIZE),
        };
        let poll_interval = self
            .duration("pollInterval", document.poll_interval)
            .unwrap_or(POLL_INTERVAL);
        let namespace = self.label(
            "namespaceLabel",
            document.namespace_label.as_deref(),
            NAMESPACE_LABEL,
        );
        let pod = self.label("podLabel", document.pod_label.as_deref(), POD_LABEL);
        let matchers = self.matchers(document.matchers.unwrap_or_default());
        if let (Some(namespace), Some(pod)) = (&namespace, &pod)
            && let Some(label) = matchers.reserved(namespace, pod)
        {
            self.refuse("matchers", ReservedLabel(label.clone()));
        }
        Some(ServerEntry {
            path: self.path.to_owned(),
            name: document.name,
            url: document.url,
            ca_file: document.ca_file.map(Into::into),
            client_certificate,
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
                bind_queries: document.query_namespace_matcher.unwrap_or(true),
            },
        })
    }

    fn client_certificate(
        &mut self,
        cert_file: Option<String>,
        key_file: Option<String>,
    ) -> Option<ClientCertificate> {
        match (&cert_file, &key_file) {
            (Some(_), None) => self.refuse("certFile", "needs keyFile beside it"),
            (None, Some(_)) => self.refuse("keyFile", "needs certFile beside it"),
            _ => {}
        }
        Some(ClientCertificate {
            cert_file: cert_file?.into(),
            key_file: key_file?.into(),
        })
    }

    fn authorization(
        &mut self,
        token: Option<String>,
        basic: Option<BasicAuthDocument>,
    ) -> Option<Authorization> {
        if token.is_some() && basic.is_some() {
            self.refuse("basicAuth", "excludes bearerTokenFile; leave one of them out");
        }
        let Some(basic) = basic else {
            return Some(Authorization::BearerToken { file: token?.into() });
        };
        if basic.username.contains(':') {
            self.refuse("basicAuth.username", "must not contain a colon");
        }
        Some(Authorization::Basic {
            username: basic.username,
            password_file: basic.password_file.into(),
        })
    }

    fn headers(&mut self, documents: Vec<HeaderDocument>) -> Vec<Header> {
        let mut headers: Vec<Header> = Vec::new();
        for (index, document) in documents.into_iter().enumerate() {
            let path = format!("{}.headers[{index}]", self.path);
            let mut rules = Rules::of(&path, self.problems);
            let name = document.name;
            if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
                rules.refuse(
                    "name",
                    format!(
                        "{name} is not set here; for credentials there are bearerTokenFile and basicAuth"
                    ),
                );
            }
            if headers
                .iter()
                .any(|header| header.name.eq_ignore_ascii_case(&name))
            {
                rules.refuse("name", format!("{name} is there twice"));
            }
            if let Some(value) = rules.header_value(document.value, document.value_file) {
                headers.push(Header { path, name, value });
            }
        }
        headers
    }

    fn header_value(&mut self, value: Option<String>, file: Option<String>) -> Option<HeaderValue> {
        match (value, file) {
            (Some(text), None) => Some(HeaderValue::Written(text)),
            (None, Some(file)) => Some(HeaderValue::InFile(file.into())),
            (Some(_), Some(_)) => {
                self.refuse("valueFile", "excludes value; leave one of them out");
                None
            }
            (None, None) => {
                self.refuse("value", "is required, or valueFile");
                None
            }
        }
    }

    fn duration(&mut self, field: &str, text: Option<String>) -> Option<Duration> {
        self.valid(field, duration::parse(&text?))
    }

    /// A size in bytes, as a number or a quantity such as `16Mi`.
    fn response_size(&mut self, size: Option<Value>) -> Option<usize> {
        let text = match size? {
            Value::String(text) => text,
            number => number.to_string(),
        };
        let bytes = quantity::parse_str(&text).ok().and_then(quantity::Amount::whole);
        let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let rule = "must be a positive number of bytes, such as 16Mi";
        self.valid("maxResponseSize", bytes.filter(|bytes| *bytes > 0).ok_or(rule))
    }

    fn label(&mut self, field: &str, name: Option<&str>, default: &str) -> Option<LabelName> {
        self.valid(field, name.unwrap_or(default).parse())
    }

    /// Labels with values that every selector gets in addition.
    fn matchers(&mut self, values: BTreeMap<String, String>) -> Matchers {
        let mut matchers = Vec::new();
        for (label, value) in values {
            let field = format!("matchers{}", DisplayKey(&label));
            if let Some(label) = self.valid(&field, label.parse()) {
                matchers.push(Matcher { label, value });
            }
        }
        matchers.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
