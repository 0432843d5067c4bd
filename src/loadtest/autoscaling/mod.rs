//! `vas test autoscaling`: the course of the load, the observation of the workload, and the assertions.
//!
//! ```text
//! test           the test from its preconditions to the judged report
//! wishes         what the user asks for, completed by what is known of the HPA -> course, assertions
//! preconditions  can the test be trusted?           course      the load: quiet, ramp, hold, quiet again
//! observer       objects as they change -> Scaling   ratio       values of metrics divided by their targets
//! news, state    Scaling -> progress lines
//! watching       the watch of a run that asserts nothing about replicas
//! memory         whether the pods' memory grows
//! chains         Scaling + load -> time-to-scale chains, with the slowest link
//! watched        Scaling joined with the load -> report::Workload
//! assertions     Scaling -> checks                   scale_down  how long scaling down may take
//! ```

pub mod assertions;
pub mod chains;
pub mod course;
pub mod elasticity;
pub mod memory;
pub mod news;
pub mod observer;
pub mod preconditions;
pub mod preflight;
pub mod ratio;
pub mod scale_down;
mod state;
pub mod test;
pub mod watch;
pub mod watched;
pub mod watching;
pub mod wishes;
