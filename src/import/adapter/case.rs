//! The input of one conversion: a rule, a series, and the metric of an HPA.

use super::{config::Rule, hpa_metric::HpaMetric};

/// The input of one conversion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) rule: &'a Rule,
    pub(super) external: bool,
    pub(super) series: &'a str,
    pub(super) exposed: &'a str,
    pub(super) wanted: Option<&'a HpaMetric>,
}
