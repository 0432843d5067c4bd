//! The types of the configuration file, from which the schema of [`super::schema`] is made.
//!
//! Must not: check more than types, and forms that the schema has words for. The rules are in
//! [`super::parse`]. A field that is `null` counts as absent, as in Kubernetes.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use vas_api::schema::{DURATION_PATTERN, NAME_PATTERN, QUANTITY_PATTERN};

/// The only version of the format.
const API_VERSION: &str = "config.scaling.voiceassist.io/v1alpha1";
const KIND: &str = "MetricsServerConfiguration";

/// The configuration of the metrics server.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "only the schema is used: servers are read one by one, so that no mistake hides another"
)]
pub(super) struct Document {
    /// The version of this format.
    #[schemars(extend("enum" = [API_VERSION]))]
    api_version: String,
    /// The kind of this document.
    #[schemars(extend("enum" = [KIND]))]
    kind: String,
    /// The Prometheus servers, each under a name of its own.
    #[schemars(length(min = 1, max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    prometheus_servers: Vec<ServerDocument>,
}

/// One Prometheus server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerDocument {
    /// What `prometheusServer` of a metric names. Metrics without that field are read from `default`.
    #[schemars(length(max = 63), regex(pattern = NAME_PATTERN))]
    pub(super) name: String,
    /// Base URL of the HTTP API, without credentials.
    #[schemars(length(min = 1))]
    pub(super) url: String,
    /// CA certificates in PEM; only these are trusted. Default: those of the system.
    #[schemars(length(min = 1))]
    pub(super) ca_file: Option<String>,
    /// Client certificate in PEM.
    #[schemars(length(min = 1))]
    pub(super) cert_file: Option<String>,
    /// Private key of the client certificate in PEM.
    #[schemars(length(min = 1))]
    pub(super) key_file: Option<String>,
    /// File with a bearer token.
    #[schemars(length(min = 1))]
    pub(super) bearer_token_file: Option<String>,
    /// User and password, instead of a bearer token.
    pub(super) basic_auth: Option<BasicAuthDocument>,
    /// Headers of each query, such as `X-Scope-OrgID`.
    pub(super) headers: Option<Vec<HeaderDocument>>,
    /// Longest time for one answer. Default: 4s.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub(super) timeout: Option<String>,
    /// Largest answer in bytes, after decompression, as a number or a quantity. Default: 16Mi.
    #[serde(default)]
    #[schemars(schema_with = "size")]
    pub(super) max_response_size: Option<Value>,
    /// Time between two polls. Default: 5s.
    #[schemars(regex(pattern = DURATION_PATTERN))]
    pub(super) poll_interval: Option<String>,
    /// Label that holds the namespace. Default: namespace.
    pub(super) namespace_label: Option<String>,
    /// Label that holds the name of the pod. Default: pod.
    pub(super) pod_label: Option<String>,
    /// Labels with the values that every selector names, where clusters share the server.
    pub(super) matchers: Option<BTreeMap<String, String>>,
    /// Whether queries of authors read their own namespace only. Default: true.
    pub(super) query_namespace_matcher: Option<bool>,
}

/// User and password of each query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BasicAuthDocument {
    /// Name of the user.
    #[schemars(length(min = 1))]
    pub(super) username: String,
    /// File with the password.
    #[schemars(length(min = 1))]
    pub(super) password_file: String,
}

/// A header of each query: its value, or the file that holds the value.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeaderDocument {
    /// Name of the header.
    #[schemars(length(min = 1))]
    pub(super) name: String,
    /// Value of the header.
    #[schemars(length(min = 1))]
    pub(super) value: Option<String>,
    /// File with the value of the header.
    #[schemars(length(min = 1))]
    pub(super) value_file: Option<String>,
}

/// A number of bytes, or a quantity such as `16Mi`.
fn size(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "string", "null"], "pattern": QUANTITY_PATTERN, "minimum": 1})
}
