//! `vas test capacity`: what it finds is true, and what it changes is put back.

mod held;
mod queue;
mod truth;
