//! What every kubelet exports at `/metrics/resource`.
//!
//! Those of whole pods are taken, which no other endpoint has: what cAdvisor exports has the names of those of containers,
//! and would be counted twice.

crate::monitoring::families::families! {
    /// The families that boards read.
    ALL of Other at Pod:
    POD_CPU = Counter "pod_cpu_usage_seconds" in Seconds ["namespace", "pod"]
        "Processor time that a pod used";
    POD_MEMORY = Gauge "pod_memory_working_set_bytes" in Bytes ["namespace", "pod"]
        "Memory of a pod that the kernel cannot take back at once";
}
