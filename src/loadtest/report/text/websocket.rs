//! The part of the text report on WebSocket connections.

use std::fmt::Write as _;

use super::row;
use crate::report::{Report, words};

/// Counts and durations; nothing for a scenario without WebSocket connections.
pub(super) fn websocket(out: &mut String, report: &Report) -> std::fmt::Result {
    let Some(websocket) = &report.measured.websocket else {
        return Ok(());
    };
    writeln!(out, "\n  websocket  {}", words::websocket(websocket))?;
    for (name, latencies) in words::websocket_latencies(websocket) {
        if !latencies.is_empty() {
            row(out, name, latencies, None)?;
        }
    }
    for (cause, count) in &websocket.failures {
        writeln!(out, "  {count:>9}  {cause}")?;
    }
    Ok(())
}
