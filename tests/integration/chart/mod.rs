//! The Helm chart: it renders what the kustomize install has, and lives on a real cluster.

mod alerts;
mod generated;
mod options;
mod prometheus;
mod released;
mod rendered;
