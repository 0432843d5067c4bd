//! Tests with mistakes that users make. Each puts one mistake into a good file, and checks its place and
//! message.

use super::document;
use crate::document::yaml;

/// A file without a mistake or a warning.
const GOOD: &str = include_str!("mistakes/resource.yaml");

/// The text that is replaced, its replacement, the expected line and column, and words that the message must
/// have.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

/// Mistakes that are refused.
const REFUSED: &[Mistake] = &[
    // Fields of other resources, such as KEDA's.
    (
        "minReplicas: 2",
        "minReplicaCount: 2",
        "13:5",
        "did you mean minReplicas?",
    ),
    (
        "maxReplicas: 10",
        "maxReplicaCount: 10",
        "14:5",
        "did you mean maxReplicas?",
    ),
    (
        "    metrics:\n    - name: cpu",
        "    triggers:\n    - name: cpu",
        "15:5",
        "did you mean metrics?",
    ),
    (
        "minReplicas: 2",
        "targetCPUUtilizationPercentage: 70",
        "13:5",
        "averageUtilization: 70",
    ),
    (
        "minReplicas: 2",
        "cooldownPeriod: 300",
        "13:5",
        "scaleDown.stabilizationWindowSeconds",
    ),
    ("minReplicas: 2", "pollingInterval: 30", "13:5", "--poll-interval"),
    ("minReplicas: 2", "idleReplicaCount: 0", "13:5", "minReplicas: 0"),
    (
        "          averageUtilization",
        "          type: Utilization\n          averageUtilization",
        "20:11",
        "says the type",
    ),
    (
        "        window: 1m",
        "        selector: {}",
        "25:9",
        "did you mean matchLabels?",
    ),
    (
        "        counter: http_requests_total",
        "        metricName: a",
        "24:9",
        "did you mean counter?",
    ),
    (
        "    disruption:",
        "    podDisruptionBudget:",
        "44:5",
        "did you mean disruption?",
    ),
    (
        "updateMode: \"Off\"",
        "updateMode: Auto",
        "43:7",
        "a VPA calls Auto is Recreate",
    ),
    // Spelling.
    (
        "maxReplicas: 10",
        "maxReplica: 10",
        "14:5",
        "did you mean maxReplicas?",
    ),
    (
        "averageUtilization",
        "averageUtilisation",
        "20:11",
        "did you mean averageUtilization?",
    ),
    ("type: Percent", "type: percent", "39:11", "did you mean Percent?"),
    (
        "environment: production",
        "environment: prod",
        "6:3",
        "it has production",
    ),
    (
        "    - name: api\n      maxReplicas: 12",
        "    - name: apis\n      maxReplicas: 12",
        "53:7",
        "spec.workloads has api",
    ),
    // One level too high or too low.
    (
        "      maxAge: 2m",
        "      window: 2m",
        "22:7",
        "it belongs deeper: requestRate.window",
    ),
    (
        "      maxAge: 2m",
        "      averageValue: 5",
        "22:7",
        "it belongs deeper: requestRate.target.averageValue",
    ),
    (
        "        window: 1m",
        "        averageValue: 5",
        "25:9",
        "it belongs deeper: target.averageValue",
    ),
    (
        "        window: 1m",
        "        maxAge: 1m",
        "25:9",
        "it belongs higher: spec.workloads[0].metrics[1].maxAge",
    ),
    (
        "        window: 1m",
        "        minReplicas: 1",
        "25:9",
        "it belongs higher: spec.workloads[0].minReplicas",
    ),
    (
        "    minReplicas: 2",
        "    scaleDown: {}",
        "13:5",
        "it belongs deeper: behavior.scaleDown",
    ),
    ("    minReplicas: 2", "    resourceQuota: {}", "13:5", ""),
    (
        "  environment: production",
        "  maxReplicas: 10",
        "6:3",
        "it belongs deeper: workloads[].maxReplicas",
    ),
    (
        "metadata:",
        "workloads: []\nmetadata:",
        "3:1",
        "it belongs deeper: spec.workloads",
    ),
    // Values of a wrong type or form.
    (
        "averageValue: \"100\"",
        "averageValue: 0.5",
        "29:11",
        "\"0.5\" or 500m",
    ),
    (
        "averageValue: \"100\"",
        "averageValue: lots",
        "29:11",
        "not a quantity",
    ),
    (
        "averageValue: \"100\"",
        "averageValue: \"0\"",
        "29:11",
        "greater than zero",
    ),
    ("updateMode: \"Off\"", "updateMode: Off", "43:7", "write \"Off\""),
    (
        "window: 1m",
        "window: 60",
        "25:9",
        "a duration needs a unit: write 60s",
    ),
    (
        "window: 1m",
        "window: \"60\"",
        "25:9",
        "a duration needs a unit: write 60s",
    ),
    ("window: 1m", "window: 1 min", "25:9", "not a duration"),
    ("window: 1m", "window: 2h", "25:9", "at most 1h"),
    (
        "maxReplicas: 10",
        "maxReplicas: \"10\"",
        "14:5",
        "without quotes: 10",
    ),
    ("maxReplicas: 10", "maxReplicas: 20000", "14:5", "at most 10000"),
    (
        "environment: production",
        "environment: 1",
        "6:3",
        "put it in quotes: \"1\"",
    ),
    (
        "counter: http_requests_total",
        "counter: http_requests_total{code=\"200\"}",
        "24:9",
        "the name is http_requests_total, then matchLabels: {code: ...}",
    ),
    ("apiVersion: apps/v1", "apiVersion: apps", "10:7", "write apps/v1"),
    (
        "kind: Deployment",
        "kind: deployment",
        "11:7",
        "an upper-case letter first",
    ),
    (
        "      name: api\n    minReplicas",
        "      name: Api\n    minReplicas",
        "12:7",
        "lower-case",
    ),
    ("route: /api", "namespace: shop", "27:11", "remove it"),
    (
        "        - type: Percent",
        "          type: Percent",
        "38:9",
        "start each entry with a dash",
    ),
    (
        "        window: 1m",
        "        matchExpressions: [{key: code, operator: Exists, values: [a]}]",
        "25:40",
        "must be one of In, NotIn, Matches, NotMatches",
    ),
    (
        "        window: 1m",
        "        matchExpressions: [{key: code, operator: Matches, values: [a, b]}]",
        "25:59",
        "one regular expression",
    ),
    // Rules.
    (
        "minReplicas: 2",
        "minReplicas: 11",
        "13:5",
        "not be greater than maxReplicas, here 11 and 10",
    ),
    ("minReplicas: 2", "minReplicas: -1", "13:5", "at least 0"),
    (
        "maxUnavailable: 1",
        "maxUnavailable: 0",
        "45:7",
        "blocks every eviction",
    ),
    ("maxUnavailable: 1", "minAvailable: 2", "45:7", "no node drained"),
    (
        "updateMode: \"Off\"",
        "updateMode: Recreate",
        "42:5",
        "the HPA scales on cpu",
    ),
    ("    - name: depth", "    - name: rate", "30:7", "is there twice"),
    (
        "      maxReplicas: 12",
        "      maxReplicas: 1",
        "54:7",
        "in environment production",
    ),
    ("    maxReplicas: 10\n", "", "8:5", "maxReplicas"),
    ("  name: shop", "  name: Shop_1", "4:3", "lower-case"),
    (
        "kind: VoiceAssistScaling",
        "kind: VoiceassistScaling",
        "2:1",
        "VoiceAssistScaling",
    ),
    (
        "scaling.voiceassist.io/v1alpha1",
        "scaling.voiceassist.io/v1",
        "1:1",
        "scaling.voiceassist.io/v1alpha1 only",
    ),
];

/// Mistakes that are warned of.
const WARNED: &[Mistake] = &[
    (
        "      queueDepth:\n        gauge: queue_depth",
        "      prometheus:\n        query: sum(a) or vector(0)",
        "32:9",
        "turns missing data into 0",
    ),
    (
        "      - name: rate",
        "      - name: rates\n        requestRate: {counter: a, target: {averageValue: 5}}",
        "56:9",
        "adds one in this environment alone",
    ),
    (
        "pods: \"60\"",
        "pods: \"9\"",
        "49:9",
        "maxReplicas of all workloads together is 10",
    ),
    (
        "pods: \"60\"",
        "pods: \"11\"",
        "49:9",
        "maxReplicas of all workloads together is 12",
    ),
    (
        "route: /api",
        "route: /api/.*",
        "27:11",
        "not as a regular expression",
    ),
    (
        "kind: Deployment",
        "kind: DaemonSet",
        "11:7",
        "no scale subresource",
    ),
    ("window: 1m", "window: 10s", "25:9", "a rate needs two samples"),
    (
        "stabilizationWindowSeconds: 300",
        "stabilizationWindowSeconds: 30",
        "25:9",
        "scale-down only 30 s",
    ),
];

/// Violations and warnings of the file with the mistake, each as `line:column message`.
fn find((good, bad, ..): Mistake) -> (Vec<String>, Vec<String>) {
    assert_eq!(
        GOOD.matches(good).count(),
        1,
        "{good:?} stands once in the good file"
    );
    let text = GOOD.replace(good, bad);
    let mut documents = yaml::parse(&text).unwrap_or_else(|error| panic!("{bad}: {error}"));
    let read = documents.remove(0);
    let validation = document::check(&read.value, None).validation;
    let at = |path: &str, words: String| format!("{} {words}", read.places.find(path));
    (
        validation
            .violations
            .iter()
            .map(|one| at(&one.path, one.to_string()))
            .collect(),
        validation
            .warnings
            .iter()
            .map(|one| at(&one.path, one.to_string()))
            .collect(),
    )
}

/// A failure text if the mistake is not among the findings.
fn unsaid(found: &[String], (_, bad, place, words): Mistake) -> Option<String> {
    let said = found
        .iter()
        .any(|line| line.starts_with(&format!("{place} ")) && line.contains(words));
    (!said).then(|| format!("{bad:?} should be found at {place} with {words:?}: {found:#?}"))
}

#[test]
fn the_good_file_is_good() {
    let (violations, warnings) = find(("name: shop", "name: shop", "", ""));
    assert_eq!((violations, warnings), (Vec::new(), Vec::new()));
}

#[test]
fn a_mistake_is_found_where_it_stands_and_the_fix_is_said() {
    let mut unsaid_ones = Vec::new();
    for mistake in REFUSED {
        let (violations, _) = find(*mistake);
        unsaid_ones.extend(unsaid(&violations, *mistake));
        if violations.len() > 3 {
            unsaid_ones.push(format!("{:?} is said too often: {violations:#?}", mistake.1));
        }
    }
    assert!(unsaid_ones.is_empty(), "{}", unsaid_ones.join("\n"));
}

#[test]
fn what_breaks_no_rule_is_warned_of() {
    let mut unsaid_ones = Vec::new();
    for mistake in WARNED {
        let (violations, warnings) = find(*mistake);
        unsaid_ones.extend(unsaid(&warnings, *mistake));
        if !violations.is_empty() || warnings.len() > 2 {
            unsaid_ones.push(format!("{:?}: {violations:#?} {warnings:#?}", mistake.1));
        }
    }
    assert!(unsaid_ones.is_empty(), "{}", unsaid_ones.join("\n"));
}
