//! Schema fragments that the derives cannot express: quantities, maps of them, conditions.
//!
//! Each is used through `schemars(schema_with = "...")`. They keep descriptions short (the stock
//! `Quantity` text is 2.6 kB per use) and give every string a bound, which CEL cost estimation needs.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Longest quantity accepted, in characters.
pub const QUANTITY_MAX_LENGTH: u32 = 32;

/// Pattern of decimal and binary quantities as Kubernetes writes them. Negative quantities are excluded.
pub const QUANTITY_PATTERN: &str =
    r"^\+?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?$";

/// Pattern of a duration in hours, minutes and seconds, in that order: `1h30m`.
pub const DURATION_PATTERN: &str = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$";

/// Pattern of a duration that may also have days of exactly 24 hours: `2d`, `1d12h`.
pub const LONG_DURATION_PATTERN: &str = r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$";

/// Pattern of a date with a time to the minute and without an offset: `2026-12-01T08:00`.
pub const WALL_CLOCK_PATTERN: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$";

/// Pattern of a date: `2026-12-25`.
pub const DATE_PATTERN: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// Pattern of the name of a time zone: `Europe/Berlin`.
pub const TIME_ZONE_PATTERN: &str = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";

/// Pattern of the names of environments, workloads and metrics: a DNS label.
pub const NAME_PATTERN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// Pattern of the name of a Kubernetes object of any kind.
pub const OBJECT_NAME_PATTERN: &str = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$";

/// Pattern of the API version of a scale target: group and version, or only a version for the core group.
pub const API_VERSION_PATTERN: &str = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9]+((alpha|beta)[0-9]+)?$";

/// Pattern of the kind of a scale target.
pub const KIND_PATTERN: &str = r"^[A-Z][A-Za-z0-9]*$";

/// Pattern of the name of a Prometheus metric. Prometheus 3 allows any characters. Those of selectors and
/// ranges are excluded here, because a name that contains them is a query in the wrong field.
pub const METRIC_PATTERN: &str = r#"^[^\s{}\[\]()"'`\\,=]+$"#;

/// A Kubernetes quantity: `"100"`, `500m`, `2Gi`.
pub fn quantity(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "pattern": QUANTITY_PATTERN,
        "maxLength": QUANTITY_MAX_LENGTH,
    })
}

/// A map from resource name to quantity, at most 16 entries.
pub fn quantities(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": quantity(generator),
    })
}

/// Pattern of a percentage from 0 % to 100 %.
pub const PERCENT_PATTERN: &str = "^(100|[1-9]?[0-9])%$";

/// An integer count or a percentage such as `25%`.
pub fn int_or_percent(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "x-kubernetes-int-or-string": true,
        "pattern": PERCENT_PATTERN,
        "maxLength": 4,
    })
}

/// Pattern of the name of a label in Prometheus. Prometheus 3 allows more than letters, digits and `_`.
pub const LABEL_NAME_PATTERN: &str = r#"^[^\s{}"=!~,]+$"#;

/// A map of label names to values for PromQL equality matchers, at most 8 entries.
pub fn match_labels(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 8,
        "additionalProperties": {"type": "string", "maxLength": 128},
    })
}

/// A set of dates, at most 100.
pub fn dates(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 100,
        "x-kubernetes-list-type": "set",
        "items": {"type": "string", "maxLength": 10, "pattern": DATE_PATTERN},
    })
}

/// The names of active entries of a schedule, at most 16.
pub fn entry_names(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "atomic",
        "items": {"type": "string", "maxLength": 63},
    })
}

/// The standard `metav1.Condition` list, a map by `type`, at most 16 entries.
pub fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"type": "string", "maxLength": 316},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                "lastTransitionTime": {"type": "string", "format": "date-time"},
                "reason": {"type": "string", "minLength": 1, "maxLength": 1024},
                "message": {"type": "string", "maxLength": 32768},
            },
        },
    })
}
