//! Families that neither a board nor an alert reads.

use crate::monitoring::families::{Family, process};

/// Each with the reason.
pub const NOT_SHOWN: &[(Family, &str)] = &[(
    process::VIRTUAL_MEMORY,
    "the address space says nothing about the memory that a process needs; it is exported because clients of Prometheus expect it",
)];
