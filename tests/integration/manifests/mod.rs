//! What gets applied: that it says what it should, and that a real cluster takes it.

mod guide;
mod installation;
mod installed;
mod load_tests;
mod overlays;
mod rendered;
mod rights;
mod running;
mod unused;
