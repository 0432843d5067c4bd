//! The images of vas and of VoiceAssist's pods: which `run.sh` builds before.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use support::cluster::{root, run_dir};

/// Where static programs lie, one of the two.
const BUILT: [&str; 2] = [
    "target/x86_64-unknown-linux-gnu/release",
    "target/aarch64-unknown-linux-gnu/release",
];

/// The very program that is in the image, which runs on this machine too.
pub(crate) fn vas_program() -> PathBuf {
    program("vas")
}

/// The archives of both.
pub(crate) fn archives() -> [PathBuf; 2] {
    ["vas", "load-model-pod"].map(|name| {
        let archives = ["amd64", "arm64"].map(|arch| root().join(format!("target/image/{name}-{arch}.tar")));
        let found = archives.into_iter().find(|archive| archive.is_file());
        found.unwrap_or_else(|| panic!("the image of {name} is missing: make test-e2e builds it"))
    })
}

/// Writes an image of a static program, as that of vas is written.
pub(crate) fn archive(name: &str, program: &Path) -> PathBuf {
    let file = name.replace(['/', ':'], "-");
    let output = run_dir().join(format!("{file}.tar"));
    let arch = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    let mut write = Command::new(root().join("image/archive.sh"));
    write.args(["--arch", arch, "--image", name, "--program"]);
    let written = write.arg(program).arg("--output").arg(&output).output();
    let written = written.expect("the script starts");
    let words = String::from_utf8_lossy(&written.stderr);
    assert!(written.status.success(), "{name}: {words}");
    output
}

fn program(name: &str) -> PathBuf {
    let programs = BUILT.map(|folder| root().join(folder).join(name));
    let found = programs.into_iter().find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("the static program {name} is missing: make test-e2e builds it"))
}
