//! `vas test capacity`: the capacity that it finds is the true one, and what it changes is put back.

mod held;
mod queue;
mod truth;
