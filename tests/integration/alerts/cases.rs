//! The cases: series, one sample a minute from minute 0 on, and how many alerts fire at one moment.

/// One case of one alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// The alert.
    pub(super) alert: &'static str,
    /// The situation in words.
    pub(super) when: &'static str,
    /// Series and their values, in promtool's notation.
    pub(super) series: &'static [(&'static str, &'static str)],
    /// When it is looked.
    pub(super) at: &'static str,
    /// How many alerts of that name fire then.
    pub(super) firing: u32,
}

const fn case(
    alert: &'static str,
    when: &'static str,
    series: &'static [(&'static str, &'static str)],
    at: &'static str,
    firing: u32,
) -> Case {
    Case {
        alert,
        when,
        series,
        at,
        firing,
    }
}

/// A series of the workload `api` of the resource `v`, with more labels.
macro_rules! api {
    ($family:literal) => {
        concat!($family, "{namespace=\"ns\", scaling=\"v\", workload=\"api\"}")
    };
    ($family:literal, $labels:literal) => {
        concat!(
            $family,
            "{namespace=\"ns\", scaling=\"v\", workload=\"api\", ",
            $labels,
            "}"
        )
    };
}

/// Conditions of the workload, and of the resource.
const AT_MAXIMUM: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingLimited\", status=\"True\", reason=\"TooManyReplicas\""
);
const AT_MAXIMUM_NEW_LEADER: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingLimited\", status=\"True\", reason=\"TooManyReplicas\", instance=\"b\""
);
const SATISFIED: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingLimited\", status=\"False\", reason=\"DesiredWithinRange\""
);
const AT_MINIMUM: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingLimited\", status=\"True\", reason=\"TooFewReplicas\""
);
const NO_METRIC: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingActive\", status=\"False\", reason=\"FailedGetPodsMetric\""
);
const NO_OTHER_METRIC: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingActive\", status=\"False\", reason=\"FailedGetObjectMetric\""
);
const DISABLED: &str = api!(
    "vas_workload_condition",
    "type=\"ScalingActive\", status=\"False\", reason=\"ScalingDisabled\""
);
const MIN: &str = api!("vas_workload_replicas_min");
const MAX: &str = api!("vas_workload_replicas_max");
const CURRENT: &str = api!("vas_workload_replicas_current");
const DESIRED: &str = api!("vas_workload_replicas_desired");
const READY: &str = api!("vas_workload_replicas_ready");
const SUSPENDED: &str = api!("vas_workload_suspended");
const ALLOWED: &str = api!("vas_workload_disruptions_allowed");
const SERVED: &str = api!("vas_workload_served_metrics", "group=\"custom.metrics.k8s.io\"");
const SERVED_EXTERNAL: &str = api!("vas_workload_served_metrics", "group=\"external.metrics.k8s.io\"");
const NO_SERIES: &str = api!(
    "vas_metrics_server_metric_missing",
    "metric=\"rate\", reason=\"no-series\", instance=\"a\""
);
const NO_SERIES_ELSEWHERE: &str = api!(
    "vas_metrics_server_metric_missing",
    "metric=\"rate\", reason=\"gap\", instance=\"b\""
);
const NOT_POLLED: &str = api!(
    "vas_metrics_server_metric_missing",
    "metric=\"rate\", reason=\"not-polled-yet\""
);
const NO_PODS: &str = api!(
    "vas_metrics_server_metric_missing",
    "metric=\"rate\", reason=\"no-pods\""
);
const NOT_READY: &str = "vas_scaling_condition{namespace=\"ns\", scaling=\"v\", type=\"Ready\", status=\"False\", reason=\"MetricsMissing\"}";
const NOT_READY_OTHERWISE: &str = "vas_scaling_condition{namespace=\"ns\", scaling=\"v\", type=\"Ready\", status=\"False\", reason=\"Invalid\"}";
const IS_READY: &str = "vas_scaling_condition{namespace=\"ns\", scaling=\"v\", type=\"Ready\", status=\"True\", reason=\"Ready\"}";
const QUOTA: &str = "vas_scaling_condition{namespace=\"ns\", scaling=\"v\", type=\"QuotaSufficient\", status=\"False\", reason=\"QuotaTooSmall\"}";
const QUOTA_FINE: &str = "vas_scaling_condition{namespace=\"ns\", scaling=\"v\", type=\"QuotaSufficient\", status=\"True\", reason=\"QuotaSufficient\"}";
const LEADER_A: &str = "vas_operator_leader{instance=\"a\"}";
const LEADER_B: &str = "vas_operator_leader{instance=\"b\"}";
const SUCCEEDED: &str = "vas_operator_reconcile_total{outcome=\"success\"}";
const FAILED: &str = "vas_operator_reconcile_total{outcome=\"error\"}";
const AGE: &str = "vas_operator_oldest_reconcile_age_seconds";
const RESYNC: &str = "vas_operator_resync_period_seconds";
const HPA_OVERWRITES: &str = "vas_operator_overwrites_total{kind=\"HorizontalPodAutoscaler\"}";
const PDB_OVERWRITES: &str = "vas_operator_overwrites_total{kind=\"PodDisruptionBudget\"}";
const SHAPES_A: &str = "vas_metrics_server_shapes{instance=\"a\"}";
const SHAPES_B: &str = "vas_metrics_server_shapes{instance=\"b\"}";
const READS: &str = "vas_metrics_server_reads_total{group=\"custom.metrics.k8s.io\", code=\"200\"}";
const READS_FORBIDDEN: &str = "vas_metrics_server_reads_total{group=\"custom.metrics.k8s.io\", code=\"403\"}";
const READS_ANONYMOUS: &str = "vas_metrics_server_reads_total{group=\"custom.metrics.k8s.io\", code=\"401\"}";
const READS_MISSING: &str = "vas_metrics_server_reads_total{group=\"custom.metrics.k8s.io\", code=\"503\"}";
const FOREIGN: &str =
    "vas_metrics_server_apiservice{name=\"v1beta2.custom.metrics.k8s.io\", state=\"foreign\"}";
const ABSENT: &str =
    "vas_metrics_server_apiservice{name=\"v1beta2.custom.metrics.k8s.io\", state=\"absent\"}";
const POLLED: &str = "vas_metrics_server_polls_total{server=\"default\", outcome=\"success\"}";
const UNANSWERED: &str = "vas_metrics_server_polls_total{server=\"default\", outcome=\"failure\"}";
const POLLED_OTHER: &str = "vas_metrics_server_polls_total{server=\"other\", outcome=\"success\"}";
const RELOADED_A: &str = "vas_metrics_server_config_last_reload_successful{instance=\"a\"}";
const RELOADED_B: &str = "vas_metrics_server_config_last_reload_successful{instance=\"b\"}";
const EXPIRY: &str = "vas_metrics_server_certificate_expiry_timestamp_seconds";

/// Every case. Promtool's clock begins at 1970.
pub(super) const CASES: &[Case] = &[
    case(
        "VasNoLeader",
        "nobody leads",
        &[(LEADER_A, "0x10"), (LEADER_B, "0x10")],
        "5m",
        1,
    ),
    case("VasNoLeader", "nothing is scraped", &[], "5m", 1),
    case(
        "VasNoLeader",
        "nobody has led for less than 5 minutes",
        &[(LEADER_A, "0x10")],
        "4m",
        0,
    ),
    case(
        "VasNoLeader",
        "one of two leads",
        &[(LEADER_A, "0x10"), (LEADER_B, "1x10")],
        "10m",
        0,
    ),
    case(
        "VasNoLeader",
        "another one took over",
        &[(LEADER_A, "1x4 0x6"), (LEADER_B, "0x4 1x6")],
        "10m",
        0,
    ),
    case(
        "VasNoLeader",
        "all were restarted",
        &[(LEADER_A, "1x4 stale _x2"), (LEADER_B, "_x7 1x6")],
        "10m",
        0,
    ),
    case(
        "VasTwoLeaders",
        "both lead",
        &[(LEADER_A, "1x5"), (LEADER_B, "1x5")],
        "1m",
        1,
    ),
    case(
        "VasTwoLeaders",
        "both lead at one scrape",
        &[(LEADER_A, "1x5"), (LEADER_B, "0 1 0x3")],
        "1m",
        0,
    ),
    case(
        "VasTwoLeaders",
        "one leads",
        &[(LEADER_A, "1x5"), (LEADER_B, "0x5")],
        "5m",
        0,
    ),
    case(
        "VasReconcileFailing",
        "a ninth fails",
        &[(SUCCEEDED, "0+8x40"), (FAILED, "0+1x40")],
        "40m",
        1,
    ),
    case(
        "VasReconcileFailing",
        "a sixth has failed for 15 minutes",
        &[(SUCCEEDED, "0+10x40"), (FAILED, "0+2x40")],
        "16m",
        1,
    ),
    case(
        "VasReconcileFailing",
        "a ninth of ten fails",
        &[(SUCCEEDED, "0+0.6x40"), (FAILED, "0+0.08x40")],
        "40m",
        1,
    ),
    case(
        "VasReconcileFailing",
        "a ninth of fewer than ten fails",
        &[(SUCCEEDED, "0+0.57x40"), (FAILED, "0+0.08x40")],
        "40m",
        0,
    ),
    case(
        "VasReconcileFailing",
        "a tenth fails",
        &[(SUCCEEDED, "0+9x40"), (FAILED, "0+1x40")],
        "40m",
        0,
    ),
    case(
        "VasReconcileFailing",
        "half of a few at night fail",
        &[(SUCCEEDED, "0+0.3x40"), (FAILED, "0+0.3x40")],
        "40m",
        0,
    ),
    case(
        "VasReconcileFailing",
        "a sixth has failed for 14 minutes",
        &[(SUCCEEDED, "0+10x40"), (FAILED, "0+2x40")],
        "15m",
        0,
    ),
    case(
        "VasReconcileStale",
        "more than three periods",
        &[(AGE, "5401x10"), (RESYNC, "1800x10")],
        "5m",
        1,
    ),
    case(
        "VasReconcileStale",
        "three periods",
        &[(AGE, "5400x10"), (RESYNC, "1800x10")],
        "10m",
        0,
    ),
    case(
        "VasReconcileStale",
        "more than three periods for 4 minutes",
        &[(AGE, "5401x10"), (RESYNC, "1800x10")],
        "4m",
        0,
    ),
    case(
        "VasReconcileStale",
        "no resources",
        &[(RESYNC, "1800x10")],
        "10m",
        0,
    ),
    case(
        "VasFieldFight",
        "6 of one kind in an hour",
        &[(HPA_OVERWRITES, "0+0.1x70")],
        "61m",
        1,
    ),
    case(
        "VasFieldFight",
        "6 at once",
        &[(HPA_OVERWRITES, "0x5 6x10")],
        "6m",
        1,
    ),
    case(
        "VasFieldFight",
        "fewer than 5 in an hour",
        &[(HPA_OVERWRITES, "0+0.08x70")],
        "61m",
        0,
    ),
    case(
        "VasFieldFight",
        "3 of two kinds each",
        &[(HPA_OVERWRITES, "0+0.05x70"), (PDB_OVERWRITES, "0+0.05x70")],
        "61m",
        0,
    ),
    case(
        "VasFieldFight",
        "many, long ago",
        &[(HPA_OVERWRITES, "0 20x130")],
        "90m",
        0,
    ),
    case("VasMetricsServerDown", "none is scraped", &[], "3m", 1),
    case("VasMetricsServerDown", "none for 2 minutes", &[], "2m", 0),
    case(
        "VasMetricsServerDown",
        "one of two is left",
        &[(SHAPES_A, "4x2 stale"), (SHAPES_B, "4x10")],
        "10m",
        0,
    ),
    case(
        "VasMetricsServerDown",
        "it serves nothing",
        &[(SHAPES_A, "0x10")],
        "10m",
        0,
    ),
    case(
        "VasMetricsNotRead",
        "nobody asked",
        &[(SERVED, "1x20"), (CURRENT, "3x20"), (READS, "7x20")],
        "11m",
        1,
    ),
    case(
        "VasMetricsNotRead",
        "it was never asked",
        &[(SERVED, "1x20"), (CURRENT, "3x20")],
        "5m",
        1,
    ),
    case(
        "VasMetricsNotRead",
        "it is asked",
        &[(SERVED, "1x20"), (CURRENT, "3x20"), (READS, "0+4x20")],
        "20m",
        0,
    ),
    case(
        "VasMetricsNotRead",
        "strangers ask, and the HPA controller does not",
        &[
            (SERVED, "1x20"),
            (CURRENT, "3x20"),
            (READS_FORBIDDEN, "0+4x20"),
            (READS_ANONYMOUS, "0+4x20"),
        ],
        "11m",
        1,
    ),
    case(
        "VasMetricsNotRead",
        "the HPA controller asks for values that are missing",
        &[(SERVED, "1x20"), (CURRENT, "3x20"), (READS_MISSING, "0+4x20")],
        "20m",
        0,
    ),
    case(
        "VasMetricsNotRead",
        "at zero replicas",
        &[(SERVED, "1x20"), (CURRENT, "0x20")],
        "20m",
        0,
    ),
    case(
        "VasMetricsNotRead",
        "no metrics of ours",
        &[(SERVED, "0x20"), (CURRENT, "3x20")],
        "20m",
        0,
    ),
    case(
        "VasMetricsNotRead",
        "a resource that is 4 minutes old",
        &[(SERVED, "1x20"), (CURRENT, "3x20")],
        "4m",
        0,
    ),
    case(
        "VasApiServiceNotOurs",
        "another adapter has it",
        &[(FOREIGN, "1x10"), (ABSENT, "0x10"), (SERVED, "2x10")],
        "5m",
        1,
    ),
    case(
        "VasApiServiceNotOurs",
        "it is absent",
        &[(FOREIGN, "0x10"), (ABSENT, "1x10"), (SERVED, "2x10")],
        "5m",
        1,
    ),
    case(
        "VasApiServiceNotOurs",
        "nobody needs it",
        &[(FOREIGN, "1x10"), (SERVED, "0x10"), (SERVED_EXTERNAL, "2x10")],
        "10m",
        0,
    ),
    case(
        "VasApiServiceNotOurs",
        "it is ours",
        &[(FOREIGN, "0x10"), (ABSENT, "0x10"), (SERVED, "2x10")],
        "10m",
        0,
    ),
    case(
        "VasApiServiceNotOurs",
        "taken 4 minutes ago",
        &[(FOREIGN, "1x10"), (SERVED, "2x10")],
        "4m",
        0,
    ),
    case(
        "VasPrometheusUnanswered",
        "7 of 12 polls fail",
        &[
            (POLLED, "0+5x10"),
            (UNANSWERED, "0+7x10"),
            (POLLED_OTHER, "0+12x10"),
        ],
        "3m",
        1,
    ),
    case(
        "VasPrometheusUnanswered",
        "half of the polls fail",
        &[(POLLED, "0+6x10"), (UNANSWERED, "0+6x10")],
        "10m",
        0,
    ),
    case(
        "VasPrometheusUnanswered",
        "they have failed for a minute",
        &[(POLLED, "0+5x10"), (UNANSWERED, "0+7x10")],
        "2m",
        0,
    ),
    case(
        "VasConfigRejected",
        "one replica could not",
        &[(RELOADED_A, "1x10"), (RELOADED_B, "0x10")],
        "5m",
        1,
    ),
    case(
        "VasConfigRejected",
        "both could",
        &[(RELOADED_A, "1x10"), (RELOADED_B, "1x10")],
        "10m",
        0,
    ),
    case(
        "VasConfigRejected",
        "wrong for 4 minutes",
        &[(RELOADED_A, "0x10")],
        "4m",
        0,
    ),
    case(
        "VasCertificateExpiring",
        "6 days are left",
        &[(EXPIRY, "522000x70")],
        "60m",
        1,
    ),
    case(
        "VasCertificateExpiring",
        "20 hours are left",
        &[(EXPIRY, "75600x70")],
        "60m",
        2,
    ),
    case(
        "VasCertificateExpiring",
        "7 days are left",
        &[(EXPIRY, "608460x70")],
        "61m",
        0,
    ),
    case(
        "VasCertificateExpiring",
        "26 hours are left",
        &[(EXPIRY, "97200x70")],
        "60m",
        1,
    ),
    case(
        "VasCertificateExpiring",
        "6 days are left, for 59 minutes",
        &[(EXPIRY, "522000x70")],
        "59m",
        0,
    ),
    case(
        "VasWorkloadAtMaximum",
        "limited for 10 minutes",
        &[(AT_MAXIMUM, "1x20"), (MIN, "2x20"), (MAX, "9x20")],
        "10m",
        1,
    ),
    case(
        "VasWorkloadAtMaximum",
        "limited at every detail",
        &[(AT_MAXIMUM, "1x20")],
        "10m",
        1,
    ),
    case(
        "VasWorkloadAtMaximum",
        "the leader changes",
        &[(AT_MAXIMUM, "1x4 stale"), (AT_MAXIMUM_NEW_LEADER, "_x5 1x20")],
        "10m",
        1,
    ),
    case(
        "VasWorkloadAtMaximum",
        "limited for 9 minutes",
        &[(AT_MAXIMUM, "1x20")],
        "9m",
        0,
    ),
    case(
        "VasWorkloadAtMaximum",
        "at the maximum and satisfied",
        &[(SATISFIED, "1x20"), (CURRENT, "9x20"), (MAX, "9x20")],
        "20m",
        0,
    ),
    case(
        "VasWorkloadAtMaximum",
        "one fixed number",
        &[(AT_MAXIMUM, "1x20"), (MIN, "9x20"), (MAX, "9x20")],
        "20m",
        0,
    ),
    case(
        "VasWorkloadAtMaximum",
        "suspended",
        &[(AT_MAXIMUM, "1x20"), (SUSPENDED, "1x20")],
        "20m",
        0,
    ),
    case(
        "VasWorkloadAtMaximum",
        "at the minimum",
        &[(AT_MINIMUM, "1x20")],
        "20m",
        0,
    ),
    case(
        "VasWorkloadAtMaximum",
        "a ramp reaches it for a while",
        &[(AT_MAXIMUM, "_x3 1x6 stale"), (SATISFIED, "1x3 stale _x6 1x9")],
        "20m",
        0,
    ),
    case(
        "VasNeverLeavesMinimum",
        "a whole day",
        &[(AT_MINIMUM, "1x1500")],
        "1440m",
        1,
    ),
    case(
        "VasNeverLeavesMinimum",
        "a minute less",
        &[(AT_MINIMUM, "1x1500")],
        "1439m",
        0,
    ),
    case(
        "VasNeverLeavesMinimum",
        "suspended",
        &[(AT_MINIMUM, "1x1500"), (SUSPENDED, "1x1500")],
        "1500m",
        0,
    ),
    case(
        "VasNeverLeavesMinimum",
        "one fixed number",
        &[(AT_MINIMUM, "1x1500"), (MIN, "3x1500"), (MAX, "3x1500")],
        "1500m",
        0,
    ),
    case(
        "VasReplicasShort",
        "one is not ready",
        &[(DESIRED, "5x20"), (READY, "4x20"), (CURRENT, "5x20")],
        "15m",
        1,
    ),
    case(
        "VasReplicasShort",
        "one lacks, without a budget",
        &[(DESIRED, "5x20"), (CURRENT, "4x20")],
        "15m",
        1,
    ),
    case(
        "VasReplicasShort",
        "for 14 minutes",
        &[(DESIRED, "5x20"), (READY, "4x20")],
        "14m",
        0,
    ),
    case(
        "VasReplicasShort",
        "all are ready",
        &[(DESIRED, "5x20"), (READY, "5x20")],
        "20m",
        0,
    ),
    case(
        "VasReplicasShort",
        "a rolling update",
        &[(DESIRED, "5x20"), (READY, "4x8 5 4x11"), (CURRENT, "6x20")],
        "20m",
        0,
    ),
    case(
        "VasReplicasShort",
        "the HPA cannot tell",
        &[(READY, "4x20"), (CURRENT, "4x20")],
        "20m",
        0,
    ),
    case(
        "VasCannotScale",
        "no metric",
        &[(NO_METRIC, "1x10"), (SUSPENDED, "0x10")],
        "5m",
        1,
    ),
    case(
        "VasCannotScale",
        "the reason changes",
        &[(NO_METRIC, "1x2 stale"), (NO_OTHER_METRIC, "_x3 1x10")],
        "5m",
        1,
    ),
    case("VasCannotScale", "for 4 minutes", &[(NO_METRIC, "1x10")], "4m", 0),
    case(
        "VasCannotScale",
        "at zero by hand",
        &[(DISABLED, "1x10")],
        "10m",
        0,
    ),
    case(
        "VasCannotScale",
        "suspended",
        &[(NO_METRIC, "1x10"), (SUSPENDED, "1x10")],
        "10m",
        0,
    ),
    case("VasNotReady", "not ready", &[(NOT_READY, "1x20")], "15m", 1),
    case(
        "VasNotReady",
        "the reason changes",
        &[(NOT_READY, "1x7 stale"), (NOT_READY_OTHERWISE, "_x8 1x10")],
        "15m",
        1,
    ),
    case("VasNotReady", "for 14 minutes", &[(NOT_READY, "1x20")], "14m", 0),
    case("VasNotReady", "ready", &[(IS_READY, "1x20")], "20m", 0),
    case("VasQuotaTooSmall", "too small", &[(QUOTA, "1x40")], "30m", 1),
    case("VasQuotaTooSmall", "for 29 minutes", &[(QUOTA, "1x40")], "29m", 0),
    case(
        "VasQuotaTooSmall",
        "room enough",
        &[(QUOTA_FINE, "1x40")],
        "40m",
        0,
    ),
    case(
        "VasEvictionsBlocked",
        "none allowed",
        &[(ALLOWED, "0x70"), (CURRENT, "2x70")],
        "60m",
        1,
    ),
    case(
        "VasEvictionsBlocked",
        "for 59 minutes",
        &[(ALLOWED, "0x70"), (CURRENT, "2x70")],
        "59m",
        0,
    ),
    case(
        "VasEvictionsBlocked",
        "at zero replicas",
        &[(ALLOWED, "0x70"), (CURRENT, "0x70")],
        "70m",
        0,
    ),
    case(
        "VasEvictionsBlocked",
        "one is allowed",
        &[(ALLOWED, "1x70"), (CURRENT, "2x70")],
        "70m",
        0,
    ),
    case(
        "VasMetricMissing",
        "no series",
        &[(NO_SERIES, "1x10"), (CURRENT, "2x10")],
        "3m",
        1,
    ),
    case(
        "VasMetricMissing",
        "at two replicas of ours",
        &[(NO_SERIES, "1x10"), (NO_SERIES_ELSEWHERE, "1x10")],
        "3m",
        1,
    ),
    case(
        "VasMetricMissing",
        "for 2 minutes",
        &[(NO_SERIES, "1x10")],
        "2m",
        0,
    ),
    case(
        "VasMetricMissing",
        "a resource that is seconds old",
        &[(NOT_POLLED, "1x10")],
        "10m",
        0,
    ),
    case("VasMetricMissing", "no pods", &[(NO_PODS, "1x10")], "10m", 0),
    case(
        "VasMetricMissing",
        "scaled to zero",
        &[(NO_SERIES, "1x10"), (CURRENT, "0x10")],
        "10m",
        0,
    ),
];
