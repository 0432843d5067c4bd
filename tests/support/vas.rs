//! The `vas` binary as a process.

use std::{
    path::PathBuf,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    cluster::{root, run_dir},
    process::Process,
};

/// The `vas` binary of this build. Cargo sets its path for integration tests; for examples it is in the
/// directory above.
pub fn binary() -> PathBuf {
    option_env!("CARGO_BIN_EXE_vas").map_or_else(
        || {
            let own = std::env::current_exe().expect("the path of this program");
            own.ancestors()
                .nth(2)
                .expect("target/PROFILE/examples/NAME")
                .join("vas")
        },
        PathBuf::from,
    )
}

/// Runs `vas` to its end, in the checkout's folder.
pub fn run(args: &[&str]) -> Output {
    Command::new(binary())
        .args(args)
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
