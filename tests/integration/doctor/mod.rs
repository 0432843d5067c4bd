//! `vas doctor` on a real installation: healthy first, then broken one thing at a time.

mod cluster_faults;
mod first_resource;
mod installation;
mod prometheus;
mod workload_faults;
