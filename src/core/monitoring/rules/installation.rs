//! Alerts about the operator, the metrics server and what they need.

use super::{Alert, Severity};
use crate::monitoring::families::{metrics_server as server, operator, scalings};

pub(super) fn alerts() -> Vec<Alert> {
    [leadership(), reconciles(), serving(), prometheus(), certificate()].concat()
}

fn leadership() -> Vec<Alert> {
    let leader = operator::LEADER.series();
    vec![
        Alert {
            name: "VasNoLeader",
            severity: Severity::Critical,
            expr: format!("(sum({leader}) or vector(0)) < 1"),
            holds: "5m",
            summary: "No operator leads, so changes of VoiceAssistScalings have no effect.",
            description: "{{ $value }} operators lead. HPAs go on scaling as they are. This is so too where no operator is scraped.",
        },
        Alert {
            name: "VasTwoLeaders",
            severity: Severity::Critical,
            expr: format!("sum({leader}) > 1"),
            holds: "1m",
            summary: "More than one operator leads.",
            description: "{{ $value }} operators say that they lead. Each write checks the Lease, so they undo nothing, but one of them is stuck.",
        },
    ]
}

fn reconciles() -> Vec<Alert> {
    let reconciles = operator::RECONCILES.series();
    let age = operator::OLDEST_RECONCILE_AGE.series();
    let resync = operator::RESYNC_PERIOD.series();
    let overwrites = operator::OVERWRITES.series();
    vec![
        Alert {
            name: "VasReconcileFailing",
            severity: Severity::Warning,
            expr: format!(
                "sum(increase({reconciles}{{outcome!=\"success\"}}[15m])) / sum(increase({reconciles}[15m])) > 0.1 \
                 and sum(increase({reconciles}[15m])) >= 10"
            ),
            holds: "15m",
            summary: "The operator cannot do what some resources ask for.",
            description: "{{ $value | humanizePercentage }} of the reconciles of 15 minutes failed.",
        },
        Alert {
            name: "VasReconcileStale",
            severity: Severity::Warning,
            expr: format!("max({age}) > 3 * max({resync})"),
            holds: "5m",
            summary: "A resource has not been reconciled for more than three resync periods.",
            description: "The oldest reconcile ended {{ $value | humanizeDuration }} ago.",
        },
        Alert {
            name: "VasFieldFight",
            severity: Severity::Warning,
            expr: format!("sum by (kind) (increase({overwrites}[1h])) > 5"),
            holds: "0m",
            summary: "Somebody changes objects of vas again and again, and the operator takes the changes back.",
            description: "{{ $value | humanize }} times in an hour the operator took back fields of a {{ $labels.kind }}.",
        },
    ]
}

fn serving() -> Vec<Alert> {
    let shapes = server::SHAPES.series();
    let reads = server::READS.series();
    let api_service = server::API_SERVICE.series();
    let served = scalings::WORKLOAD_SERVED_METRICS.series();
    let current = scalings::WORKLOAD_REPLICAS_CURRENT.series();
    vec![
        Alert {
            name: "VasMetricsServerDown",
            severity: Severity::Critical,
            expr: format!("(count({shapes}) or vector(0)) < 1"),
            holds: "3m",
            summary: "No metrics server is scraped, so HPAs probably have no metrics from Prometheus.",
            description: "{{ $value }} metrics servers are scraped. HPAs without a value do not scale down.",
        },
        Alert {
            name: "VasMetricsNotRead",
            severity: Severity::Critical,
            expr: format!(
                "sum(max by (namespace, scaling, workload, group) ({served}) \
                 * on (namespace, scaling, workload) group_left () \
                 max by (namespace, scaling, workload) ({current} > bool 0)) > 0 \
                 unless sum(increase({reads}{{code!~\"401|403\"}}[5m])) > 0"
            ),
            holds: "5m",
            summary: "HPAs have metrics of vas, and nobody reads one.",
            description: "{{ $value }} metrics of running workloads should be read every 15 seconds, and none was in 5 minutes; reads without the right to do so do not count.",
        },
        Alert {
            name: "VasApiServiceNotOurs",
            severity: Severity::Critical,
            expr: format!(
                "max by (group, name) (label_replace({api_service}{{state=~\"foreign|absent\"}}, \"group\", \"$1\", \"name\", \"v[^.]+[.](.+)\")) == 1 \
                 and on (group) sum by (group) ({served}) > 0"
            ),
            holds: "5m",
            summary: "An API that HPAs read metrics of vas from does not lead to vas.",
            description: "APIService {{ $labels.name }} is absent or leads to another server.",
        },
    ]
}

fn prometheus() -> Vec<Alert> {
    let polls = server::POLLS.series();
    let reloaded = server::CONFIG_RELOAD_SUCCESSFUL.series();
    vec![
        Alert {
            name: "VasPrometheusUnanswered",
            severity: Severity::Critical,
            expr: format!(
                "sum by (server) (rate({polls}{{outcome=\"failure\"}}[2m])) / sum by (server) (rate({polls}[2m])) > 0.5"
            ),
            holds: "2m",
            summary: "A Prometheus server does not answer the metrics server.",
            description: "{{ $value | humanizePercentage }} of the polls of server {{ $labels.server }} fail. Values older than maxAge are missing, and HPAs hold.",
        },
        Alert {
            name: "VasConfigRejected",
            severity: Severity::Warning,
            expr: format!("min({reloaded}) == 0"),
            holds: "5m",
            summary: "The file of Prometheus servers is wrong, so what stood in it before is in use.",
            description: "A metrics server could not take its configuration file into use. Its log says why.",
        },
    ]
}

fn certificate() -> Vec<Alert> {
    let expiry = server::CERTIFICATE_EXPIRY.series();
    let alert = |severity, days: u32| Alert {
        name: "VasCertificateExpiring",
        severity,
        expr: format!("min({expiry}) - time() < {days} * 86400"),
        holds: "1h",
        summary: "The serving certificate of the metrics server ends soon and was not renewed.",
        description: "It is valid for another {{ $value | humanizeDuration }}. After that no HPA can read a metric of vas.",
    };
    vec![alert(Severity::Warning, 7), alert(Severity::Critical, 1)]
}
