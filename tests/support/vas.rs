//! The `vas` binary as a process.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    Cluster,
    cluster::{root, run_dir},
    process::Process,
    programs,
};

/// The binary of this build.
pub fn binary() -> PathBuf {
    programs::path("vas")
}

/// Runs `vas` to its end, in the checkout's folder.
pub fn run(args: &[&str]) -> Output {
    super::turn::wait();
    Command::new(binary())
        .args(args)
        .current_dir(root())
        .output()
        .expect("vas starts")
}

/// Runs `vas` to its end with an administrator's rights in a cluster.
pub fn administer(cluster: &Cluster, args: &[&str]) -> Output {
    Command::new(binary())
        .args(args)
        .env("KUBECONFIG", cluster.kubeconfig())
        .current_dir(root())
        .output()
        .expect("vas starts")
}

/// Starts `vas` in the background with its log in the run's folder.
pub fn start(name: &str, args: &[String], env: &[(String, String)]) -> Process {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let log = run_dir().join("logs").join(format!("{name}-{number}.log"));
    Process::start(name, &binary(), args, env, log)
}
