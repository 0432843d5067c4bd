//! `vas test capacity`: what it changes is put back.

mod held;
