//! The programs of this build.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::cluster::root;

/// How the programs that tests start are built: for the whole workspace, so that all crates have the features that they
/// have in the tests, and none is built twice.
const BUILD: [&str; 7] = [
    "build",
    "--locked",
    "--workspace",
    "--bin",
    "vas",
    "--bin",
    "load-model",
];

/// A program of this build, by its name. Where cargo runs the tests, it builds the programs once more at their first
/// use, which costs nothing if they are fresh: no test runs against the program of yesterday.
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        if let Some(cargo) = std::env::var_os("CARGO") {
            build(Path::new(&cargo));
        }
        folder()
    });
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} is missing: cargo {}",
        program.display(),
        BUILD.join(" ")
    );
    program
}

fn build(cargo: &Path) {
    let mut build = Command::new(cargo);
    build.args(BUILD).arg("--quiet");
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let status = build.current_dir(root()).status().expect("cargo starts");
    assert!(status.success(), "cargo build failed");
}

/// Programs lie in `target/PROFILE`, tests in a folder `deps` beside them.
fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this program");
    let folder = own.parent().expect("a program lies in a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("target/PROFILE/deps").to_owned()
    } else {
        folder.to_owned()
    }
}
