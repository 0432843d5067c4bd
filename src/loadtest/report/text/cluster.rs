//! The part of the text report on the cluster.

use std::fmt::Write as _;

use crate::report::{Report, Workload, words};

/// Replicas, scale-ups and elasticity of each workload; nothing where the cluster was not watched.
pub(super) fn workloads(out: &mut String, report: &Report) -> std::fmt::Result {
    for Workload {
        scaling,
        chains,
        elasticity,
    } in &report.workloads
    {
        writeln!(
            out,
            "\n  {}, HPA {} in {}",
            scaling.target, scaling.hpa, scaling.namespace
        )?;
        writeln!(out, "  replicas   {}", words::replicas(scaling))?;
        for chain in chains {
            write!(out, "  scale-up   {}", words::chain(chain))?;
            match words::slowest(chain) {
                Some(slowest) => writeln!(out, "; slowest: {slowest}")?,
                None => writeln!(out)?,
            }
            if let Some(hint) = &chain.hint {
                writeln!(out, "             {hint}")?;
            }
        }
        if let Some(figures) = elasticity {
            writeln!(out, "  elasticity {}", words::elasticity(figures))?;
        }
    }
    Ok(())
}
