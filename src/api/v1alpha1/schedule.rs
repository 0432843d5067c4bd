//! Windows of the calendar in which a workload has other bounds.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::schema;

/// Bounds for windows of the calendar. Of the active entries the largest `minReplicas` and the largest `maxReplicas`
/// count; an entry that leaves one out stands for that of the workload. Without an active entry the workload's own
/// count.
#[derive(Clone, Debug, Default, Deserialize, Serialize, KubeSchema, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new(rules::ONE_START)
        .message("an entry has either schedule or at; split it into two entries"),
    validation = Rule::new(rules::ENTRY_MIN_TO_MAX)
        .message("minReplicas must not be greater than maxReplicas")
        .field_path(".minReplicas"),
    validation = Rule::new(rules::ENTRY_DURATION)
        .message("duration must be at least 5m and at most 31d, which is 744h")
        .field_path(".duration")
)]
pub struct Schedule {
    /// Name of the entry, unique in the workload.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = schema::NAME_PATTERN)
    )]
    pub name: String,
    /// `false` takes the entry out. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When windows begin: a cron expression of five fields, `30 6 * * Mon-Fri`. Exactly one of `schedule` and `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 9, max = 128))]
    pub schedule: Option<String>,
    /// When the only window begins, by the clock on the wall: `2026-12-01T08:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 16, max = 16),
        regex(pattern = schema::WALL_CLOCK_PATTERN)
    )]
    pub at: Option<String>,
    /// How long a window is, 5m to 31d. It ends at what the clock on the wall shows at its start plus this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 2, max = 16),
        regex(pattern = schema::LONG_DURATION_PATTERN)
    )]
    pub duration: Option<String>,
    /// The time zone of the clock on the wall: a name of the IANA database such as `Europe/Berlin`. There is no
    /// default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 64),
        regex(pattern = schema::TIME_ZONE_PATTERN)
    )]
    pub time_zone: Option<String>,
    /// Fewest replicas in a window. Left out, the workload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub min_replicas: Option<i32>,
    /// Most replicas in a window. Left out, the workload's. Where it falls, also at the end of a window, the HPA removes
    /// the pods above it at once, whatever the policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_replicas: Option<i32>,
    /// Dates of the time zone on which no window begins: `2026-12-25`. In an environment this list replaces the base's
    /// list as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::dates")]
    pub except: Option<Vec<String>>,
}
