//! The images of vas and of VoiceAssist's pods: built by `image/build.sh`, which `make test-e2e` runs before.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use support::cluster::{bin, root};

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
    let folder = root().join("target/image");
    let vas = ["vas-amd64.tar", "vas-arm64.tar"].map(|name| folder.join(name));
    let vas = vas.into_iter().find(|archive| archive.is_file());
    let vas = vas.expect("target/image/vas-ARCH.tar is missing: make image");
    let pod = folder.join("load-model-pod.tar");
    write(&program("load-model-pod"), &pod);
    [vas, pod]
}

fn write(program: &Path, output: &Path) {
    let mut image = Command::new(bin("cluster"));
    image.args(["image", "--name", "vas.test/load-model-pod:1", "--program"]);
    let image = image.arg(program).arg("--output").arg(output);
    let status = image.status().expect("the launcher starts");
    assert!(status.success(), "no image of {}", program.display());
}

fn program(name: &str) -> PathBuf {
    let programs = BUILT.map(|folder| root().join(folder).join(name));
    let found = programs.into_iter().find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("the static program {name} is missing: make test-e2e builds it"))
}
