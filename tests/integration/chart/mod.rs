//! The Helm chart: it renders what the kustomize install has, and lives on a real cluster.

mod generated;
mod options;
mod prometheus;
mod released;
mod rendered;
