//! The longer CEL rules of the CRD, so that the API server refuses common mistakes at `kubectl apply`.
//!
//! Each rule sees one part of the object. `vas_core::spec::rules` has a twin of each rule. It alone checks
//! what depends on the merged values of an environment, or costs more than the API server's CEL budget. The
//! `type()` tests are needed because CEL knows the type of an `int-or-string` only at runtime.

/// `Workload`: all fields that an HPA needs, or none of its fields.
pub(super) const HPA_WHOLE: &str = "has(self.metrics) ? has(self.maxReplicas) : !(has(self.maxReplicas) || has(self.minReplicas) || has(self.behavior))";

/// `Workload`: at least one of HPA, VPA and PodDisruptionBudget.
pub(super) const SOMETHING_TO_DO: &str = "has(self.metrics) || has(self.vertical) || has(self.disruption)";

/// `Workload`: `minReplicas` is at most `maxReplicas`.
pub(super) const MIN_TO_MAX: &str =
    "!has(self.maxReplicas) || (has(self.minReplicas) ? self.minReplicas : 1) <= self.maxReplicas";

/// `Workload`: a schedule changes the bounds of an HPA.
pub(super) const SCHEDULES_NEED_METRICS: &str =
    "!has(self.schedules) || self.schedules.size() == 0 || has(self.metrics)";

/// `Workload`: every entry of the schedule says when and what. An override in an environment may say less.
pub(super) const EVERY_ENTRY_WHOLE: &str = "!has(self.schedules) || self.schedules.all(s, has(s.schedule) != has(s.at) && has(s.duration) && has(s.timeZone) && (has(s.minReplicas) || has(s.maxReplicas)))";

/// Message of [`EVERY_ENTRY_WHOLE`]: it names the entry.
pub(super) const ENTRY_NOT_WHOLE: &str = "'schedule entry ' + self.schedules.filter(s, !(has(s.schedule) != has(s.at) && has(s.duration) && has(s.timeZone) && (has(s.minReplicas) || has(s.maxReplicas))))[0].name + ' needs exactly one of schedule and at, a duration, a timeZone, and minReplicas, maxReplicas or both'";

/// `Workload`: each enabled entry, with the workload's bound where it leaves one out, has its bounds in order.
pub(super) const PAIRS_MIN_TO_MAX: &str = "!has(self.schedules) || !has(self.maxReplicas) || self.schedules.all(s, (has(s.enabled) && !s.enabled) || (has(s.minReplicas) ? s.minReplicas : (has(self.minReplicas) ? self.minReplicas : 1)) <= (has(s.maxReplicas) ? s.maxReplicas : self.maxReplicas))";

/// Message of [`PAIRS_MIN_TO_MAX`]: it names the entry.
pub(super) const PAIR_MIN_ABOVE_MAX: &str = "'schedule entry ' + self.schedules.filter(s, !((has(s.enabled) && !s.enabled) || (has(s.minReplicas) ? s.minReplicas : (has(self.minReplicas) ? self.minReplicas : 1)) <= (has(s.maxReplicas) ? s.maxReplicas : self.maxReplicas)))[0].name + ' leaves minReplicas greater than maxReplicas: write both bounds in the entry'";

/// `Schedule`: not two kinds of start.
pub(super) const ONE_START: &str = "!(has(self.schedule) && has(self.at))";

/// `Schedule`: the entry's own bounds are in order.
pub(super) const ENTRY_MIN_TO_MAX: &str =
    "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas";

/// `Schedule`: 5m to 744h. CEL knows no days, and to take them out of the text costs more than its budget.
pub(super) const ENTRY_DURATION: &str = "!has(self.duration) || self.duration.contains('d') || (duration(self.duration) >= duration('5m') && duration(self.duration) <= duration('744h'))";

/// `Workload`: every metric has a source.
pub(super) const EVERY_METRIC_HAS_A_SOURCE: &str = "!has(self.metrics) || self.metrics.all(m, has(m.resource) || has(m.containerResource) || has(m.requestRate) || has(m.podGauge) || has(m.queueDepth) || has(m.queueAge) || has(m.prometheus))";

/// Message of [`EVERY_METRIC_HAS_A_SOURCE`]: it names the metric.
pub(super) const METRIC_WITHOUT_SOURCE: &str = "'metric ' + self.metrics.filter(m, !(has(m.resource) || has(m.containerResource) || has(m.requestRate) || has(m.podGauge) || has(m.queueDepth) || has(m.queueAge) || has(m.prometheus)))[0].name + ' needs exactly one of resource, containerResource, requestRate, podGauge, queueDepth, queueAge and prometheus'";

/// `Workload`: at least one metric is enabled.
pub(super) const ONE_METRIC_ENABLED: &str =
    "!has(self.metrics) || self.metrics.exists(m, !has(m.enabled) || m.enabled)";

/// `Workload`: HPA and VPA never control the same resource. The VPA controls all resources of a container
/// without an entry, unless there is an entry for `*`.
pub(super) const HPA_OR_VPA: &str = "!has(self.metrics) || !has(self.vertical) || (has(self.vertical.enabled) && !self.vertical.enabled) || !has(self.vertical.updateMode) || self.vertical.updateMode == 'Off' || !['cpu', 'memory'].exists(r, self.metrics.exists(m, (!has(m.enabled) || m.enabled) && ((has(m.resource) && m.resource.name == r) || (has(m.containerResource) && m.containerResource.name == r))) && (!has(self.vertical.containers) || !self.vertical.containers.exists(c, c.name == '*') || self.vertical.containers.exists(c, (!has(c.mode) || c.mode != 'Off') && (!has(c.controlledResources) || r in c.controlledResources))))";

/// `Workload`: a PodDisruptionBudget leaves a pod to evict at `minReplicas`; percentages round up.
pub(super) const MIN_AVAILABLE_BELOW_MIN_REPLICAS: &str = "!has(self.metrics) || !has(self.disruption) || (has(self.disruption.enabled) && !self.disruption.enabled) || !has(self.disruption.minAvailable) || (type(self.disruption.minAvailable) == int ? int(self.disruption.minAvailable) : (int(string(self.disruption.minAvailable).replace('%', '')) * (has(self.minReplicas) ? self.minReplicas : 1) + 99) / 100) < (has(self.minReplicas) ? self.minReplicas : 1)";

/// `Workload`: zero replicas need a metric that has a value without pods.
pub(super) const ZERO_NEEDS_OBJECT_METRIC: &str = "!has(self.metrics) || !has(self.minReplicas) || self.minReplicas > 0 || self.metrics.exists(m, (!has(m.enabled) || m.enabled) && (has(m.queueDepth) || has(m.queueAge) || has(m.prometheus)))";

/// `Workload`: zero replicas need a scale-up policy of type `Pods`, because a percentage of zero is zero.
pub(super) const ZERO_NEEDS_A_WAY_UP: &str = "!has(self.minReplicas) || self.minReplicas > 0 || !has(self.behavior) || !has(self.behavior.scaleUp) || ((!has(self.behavior.scaleUp.selectPolicy) || self.behavior.scaleUp.selectPolicy == 'Max') && (!has(self.behavior.scaleUp.policies) || self.behavior.scaleUp.policies.exists(p, p.type == 'Pods')))";

/// `Metric`: at most one source. An override in an environment may have none.
pub(super) const ONE_SOURCE: &str = "[has(self.resource), has(self.containerResource), has(self.requestRate), has(self.podGauge), has(self.queueDepth), has(self.queueAge), has(self.prometheus)].filter(x, x).size() <= 1";

/// `Metric`: fields that only metrics from Prometheus may have.
pub(super) const PROMETHEUS_FIELDS: &str = "!(has(self.resource) || has(self.containerResource)) || !(has(self.onMissing) || has(self.maxAge) || has(self.prometheusServer))";

/// `Metric`: an External metric is a single number, so it has a source of a single number.
pub(super) const EXTERNAL: &str = "!has(self.external) || !self.external || !(has(self.resource) || has(self.containerResource) || has(self.requestRate) || has(self.podGauge))";

/// `Metric`: `maxAge` is above zero and at most one hour.
pub(super) const MAX_AGE: &str = "!has(self.maxAge) || (duration(self.maxAge) > duration('0s') && duration(self.maxAge) <= duration('1h'))";

/// `RequestRateSource`: the window is above zero and at most one hour.
pub(super) const WINDOW: &str = "!has(self.window) || (duration(self.window) > duration('0s') && duration(self.window) <= duration('1h'))";

/// Sources with matchers: keys are label names of Prometheus, and not `namespace`, for which vas adds its own
/// matcher. Prometheus 3 allows more than letters, digits and `_`; the characters of a selector's syntax are
/// excluded.
pub(super) const MATCH_LABELS: &str = "!has(self.matchLabels) || self.matchLabels.all(k, k != 'namespace' && !k.startsWith('__') && k.matches(r'^[^\\s{}\"=!~,]+$'))";

/// `MatchExpression`: the label is not `namespace`, and a regular expression is the only value.
pub(super) const MATCH_EXPRESSION: &str = "self.key != 'namespace' && !self.key.startsWith('__') && (self.operator in ['In', 'NotIn'] || self.values.size() == 1)";

/// Targets: `averageValue` is above zero, because the HPA divides by it.
pub(super) const AVERAGE_VALUE_POSITIVE: &str = "!has(self.averageValue) || (type(self.averageValue) == int ? int(self.averageValue) > 0 : quantity(string(self.averageValue)).isGreaterThan(quantity('0')))";

/// Targets: `value` is above zero, because the HPA divides by it.
pub(super) const VALUE_POSITIVE: &str = "!has(self.value) || (type(self.value) == int ? int(self.value) > 0 : quantity(string(self.value)).isGreaterThan(quantity('0')))";

/// `Disruption`: exactly one of `minAvailable` and `maxUnavailable`, unless it is disabled.
pub(super) const ONE_BOUND: &str =
    "(has(self.enabled) && !self.enabled) || (has(self.minAvailable) != has(self.maxUnavailable))";

/// `Disruption`: `maxUnavailable` is above zero, or no pod could ever be evicted.
pub(super) const MAX_UNAVAILABLE_POSITIVE: &str = "!has(self.maxUnavailable) || (type(self.maxUnavailable) == int ? int(self.maxUnavailable) > 0 : self.maxUnavailable != '0%')";

/// `VoiceAssistScalingSpec`: the active environment exists.
pub(super) const ENVIRONMENT_EXISTS: &str = "!has(self.environment) || (has(self.environments) && self.environments.exists(e, e.name == self.environment))";

/// `VoiceAssistScalingSpec`: environments override workloads of the base.
pub(super) const OVERRIDES_EXIST: &str = "!has(self.environments) || self.environments.all(e, !has(e.workloads) || e.workloads.all(o, self.workloads.exists(w, w.name == o.name)))";

/// `VoiceAssistScalingSpec`: one workload per target. Two versions of a group name the same target.
pub(super) const ONE_WORKLOAD_PER_TARGET: &str = "self.workloads.all(a, self.workloads.exists_one(b, b.scaleTargetRef.name == a.scaleTargetRef.name && b.scaleTargetRef.kind == a.scaleTargetRef.kind && b.scaleTargetRef.apiVersion.split('/').size() == a.scaleTargetRef.apiVersion.split('/').size() && (b.scaleTargetRef.apiVersion.split('/').size() == 1 || b.scaleTargetRef.apiVersion.split('/')[0] == a.scaleTargetRef.apiVersion.split('/')[0])))";

/// `VoiceAssistScalingSpec`: the merged bounds of every environment are in order.
pub(super) const MERGED_MIN_TO_MAX: &str = "!has(self.environments) || self.environments.all(e, !has(e.workloads) || e.workloads.all(o, self.workloads.all(w, w.name != o.name || !(has(o.maxReplicas) || has(w.maxReplicas)) || (has(o.minReplicas) ? o.minReplicas : (has(w.minReplicas) ? w.minReplicas : 1)) <= (has(o.maxReplicas) ? o.maxReplicas : w.maxReplicas))))";

/// `VoiceAssistScalingSpec`: under a quota on cpu or memory every container must have a request or limit. So
/// the LimitRange must have a default for containers without one.
pub(super) const QUOTA_NEEDS_DEFAULT: &str = "!has(self.limits) || (has(self.limits.enabled) && !self.limits.enabled) || !has(self.limits.resourceQuota) || !has(self.limits.resourceQuota.hard) || ['cpu', 'memory'].all(r, (!(r in self.limits.resourceQuota.hard || 'requests.' + r in self.limits.resourceQuota.hard) || (has(self.limits.limitRange) && ((has(self.limits.limitRange.defaultRequest) && r in self.limits.limitRange.defaultRequest) || (has(self.limits.limitRange.default) && r in self.limits.limitRange.default)))) && (!('limits.' + r in self.limits.resourceQuota.hard) || (has(self.limits.limitRange) && has(self.limits.limitRange.default) && r in self.limits.limitRange.default)))";
