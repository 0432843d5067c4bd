//! How well the replicas followed the load: the elasticity figures of the SPEC Research Group.

/// Elasticity of a run ("Ready for Rain?", SPEC-RG-2016-01). Lower is better for all; zero is ideal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Elasticity {
    /// Under-provisioning accuracy, in percent of the demand.
    pub under_accuracy: f64,
    /// Over-provisioning accuracy, in percent of the demand; has no upper bound.
    pub over_accuracy: f64,
    /// Share of the time with fewer replicas than needed, in percent.
    pub under_timeshare: f64,
    /// Share of the time with more replicas than needed, in percent.
    pub over_timeshare: f64,
    /// Share of the time in which replicas and demand moved in different ways, in percent.
    pub instability: f64,
    /// Hours of Ready replicas.
    pub replica_hours: f64,
    /// Hours of needed replicas.
    pub demand_hours: f64,
}
