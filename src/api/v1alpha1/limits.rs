//! The namespace-wide objects: LimitRange and ResourceQuota.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema;

/// A LimitRange and a ResourceQuota for the namespace. They touch every pod in it, not only the
/// workloads here; a cluster administrator can turn this off for the operator.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// `false` in an environment switches the base's limits off. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Defaults and bounds for each container in the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_range: Option<LimitRangeLimits>,
    /// The most that all pods of the namespace may use together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_quota: Option<ResourceQuotaLimits>,
}

/// The `Container` item of a LimitRange.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LimitRangeLimits {
    /// Request of a container that has no request of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub default_request: Option<BTreeMap<String, Quantity>>,
    /// Limit of a container that has no limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub default: Option<BTreeMap<String, Quantity>>,
    /// Smallest request a container may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub min: Option<BTreeMap<String, Quantity>>,
    /// Largest limit a container may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub max: Option<BTreeMap<String, Quantity>>,
}

/// Limits of the namespace's ResourceQuota.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ResourceQuotaLimits {
    /// The most of each resource that the whole namespace may use, for example `requests.cpu: "20"`,
    /// `pods: "60"`. A quota on `requests.X` or `limits.X` needs a LimitRange default for X.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantities")]
    pub hard: Option<BTreeMap<String, Quantity>>,
}
