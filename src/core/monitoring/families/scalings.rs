//! What the leading `vas operator` exports about resources and their workloads.

super::families! {
    /// Families with a few series of each resource.
    RESOURCE of Operator at Resource:
    SCALING_INFO = Gauge "vas_scaling_info" ["namespace", "scaling", "environment"]
        "1 for each resource, with its active environment; empty where it has none";
    SCALING_CONDITION = Gauge "vas_scaling_condition" ["namespace", "scaling", "type", "status", "reason"]
        "1 for each condition of a resource, with its status and reason";
    SCALING_GENERATION = Gauge "vas_scaling_generation" ["namespace", "scaling"]
        "Generation of the resource's spec";
    SCALING_OBSERVED_GENERATION = Gauge "vas_scaling_observed_generation" ["namespace", "scaling"]
        "Generation of the spec to which the resource's status belongs";
}

super::families! {
    /// Families with a few series of each workload.
    WORKLOAD of Operator at Workload:
    WORKLOAD_INFO = Gauge "vas_workload_info" ["namespace", "scaling", "workload", "kind", "target", "hpa"]
        "1 for each workload, with kind and name of its scale target and the name of its HPA, whether or not the HPA is there";
    WORKLOAD_CONDITION = Gauge "vas_workload_condition" ["namespace", "scaling", "workload", "type", "status", "reason"]
        "1 for each condition of a workload and of its HPA, with its status and reason; what is not fine is there at every detail";
    WORKLOAD_SUSPENDED = Gauge "vas_workload_suspended" ["namespace", "scaling", "workload"]
        "1 while the workload's HPA may move replicas in neither direction, else 0; a 1 is there at every detail";
    WORKLOAD_REPLICAS_MIN = Gauge "vas_workload_replicas_min" ["namespace", "scaling", "workload"]
        "minReplicas of the workload's HPA";
    WORKLOAD_REPLICAS_MAX = Gauge "vas_workload_replicas_max" ["namespace", "scaling", "workload"]
        "maxReplicas of the workload's HPA";
    WORKLOAD_REPLICAS_CURRENT = Gauge "vas_workload_replicas_current" ["namespace", "scaling", "workload"]
        "Replicas as the HPA last counted them";
    WORKLOAD_REPLICAS_DESIRED = Gauge "vas_workload_replicas_desired" ["namespace", "scaling", "workload"]
        "Replicas that the HPA last asked for; absent while it cannot tell";
    WORKLOAD_REPLICAS_READY = Gauge "vas_workload_replicas_ready" ["namespace", "scaling", "workload"]
        "Ready pods as the workload's PodDisruptionBudget counts them; absent without a budget";
    WORKLOAD_RESCALES = Counter "vas_workload_rescales" ["namespace", "scaling", "workload", "direction"]
        "Changes of the replicas that the HPA asks for, up and down, since this process saw the HPA first";
    WORKLOAD_DISRUPTIONS_ALLOWED = Gauge "vas_workload_disruptions_allowed" ["namespace", "scaling", "workload"]
        "Pods that the workload's PodDisruptionBudget lets go at this moment";
    WORKLOAD_SERVED_METRICS = Gauge "vas_workload_served_metrics" ["namespace", "scaling", "workload", "group"]
        "Metrics of the workload's HPA that it reads from the metrics server of vas, by API group";
}

super::families! {
    /// Families with a few series of each metric of a workload.
    METRIC of Operator at Metric:
    WORKLOAD_METRIC_VALUE = Gauge "vas_workload_metric_value" ["namespace", "scaling", "workload", "metric"]
        "Value of a metric as the HPA last read it, in the unit of its target: percent for a utilization, per replica for an average; absent where it read none";
    WORKLOAD_METRIC_TARGET = Gauge "vas_workload_metric_target" ["namespace", "scaling", "workload", "metric"]
        "Target of a metric, in the same unit as its value";
    WORKLOAD_METRIC_PROPOSED_REPLICAS = Gauge "vas_workload_metric_proposed_replicas" ["namespace", "scaling", "workload", "metric"]
        "Replicas that a metric asks for by itself, before the HPA's bounds, policies and windows, reckoned from the HPA's status; the controller's own figure differs where pods are not Ready or have no sample";
}
