//! The manifests: they say what they should, and a real cluster accepts them.

pub(crate) mod guide;
mod installation;
mod installed;
mod load_tests;
mod overlays;
mod registered;
mod rendered;
mod rights;
mod running;
mod unused;
mod voiceassist;
mod watched;
