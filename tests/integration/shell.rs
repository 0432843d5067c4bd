//! vas in a shell: completions, manual pages, and as a plugin of kubectl.

use std::{os::unix::fs::symlink, path::PathBuf, process::Command};

use serde_json::Value;

use support::{
    cluster::{bin, root, run_dir},
    vas::{binary, run},
};

fn folder(name: &str) -> PathBuf {
    let folder = run_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn bash_completes_commands_and_flags_and_every_shell_has_a_script() {
    let folder = folder("completions");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).stdout;
        assert!(!script.is_empty());
        std::fs::write(folder.join(shell), script).unwrap();
        // Whichever shells are here read their scripts.
        if let Ok(read) = Command::new(shell).arg("-n").arg(folder.join(shell)).status() {
            assert!(read.success(), "{shell}");
        }
    }
    let completed = |words: &str, last: usize| {
        let script = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD={last}; _vas vas \"${{COMP_WORDS[{last}]}}\"; echo \"${{COMPREPLY[@]}}\"",
            folder.join("bash").display()
        );
        stdout(Command::new("bash").args(["-c", &script]))
    };
    assert_eq!(completed("vas doc", 1).trim(), "doctor");
    assert_eq!(completed("vas doctor --verb", 2).trim(), "--verbose");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = folder("man");
    let output = run(&["man", "--directory", &folder.to_string_lossy()]);
    assert!(output.status.success());
    for page in ["vas.1", "vas-doctor.1", "vas-test-run.1"] {
        let text = std::fs::read_to_string(folder.join(page)).expect(page);
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    assert!(
        !folder.join("vas-reference.1").exists(),
        "a hidden command has a page"
    );
    let nowhere = run(&["man", "--directory", "/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("cannot write manual pages into /nowhere"));
}

#[test]
fn kubectl_finds_the_plugin_and_its_usage_says_kubectl_vas() {
    let folder = folder("plugin");
    let _ = symlink(binary(), folder.join("kubectl-vas"));
    let path = format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let kubectl = |args: &[&str]| {
        Command::new(bin("kubectl"))
            .args(args)
            .env("PATH", &path)
            .current_dir(root())
            .output()
            .expect("kubectl starts")
    };
    let checked = kubectl(&["vas", "validate", "manifests/voiceassist/voiceassistscaling.yaml"]);
    assert!(checked.status.success(), "{checked:?}");
    let usage = kubectl(&["vas", "doctor", "--no-such-flag"]);
    assert_eq!(usage.status.code(), Some(2));
    let usage = String::from_utf8_lossy(&usage.stderr).into_owned();
    assert!(usage.contains("Usage: kubectl vas doctor"), "{usage}");
}

#[test]
fn the_manifest_for_krew_names_each_program_with_its_checksum() {
    let folder = folder("krew");
    let script = root().join("image/krew.sh");
    let print = || {
        let mut command = Command::new(&script);
        command.args(["1.2.3", &folder.to_string_lossy(), "https://example.org/team/vas"]);
        command
    };
    let missing = print().output().unwrap();
    assert!(String::from_utf8_lossy(&missing.stderr).contains("has no vas-linux-amd64.tar.gz"));
    for arch in ["amd64", "arm64"] {
        std::fs::write(folder.join(format!("vas-linux-{arch}.tar.gz")), arch).unwrap();
    }
    let manifest: Value = serde_saphyr::from_str(&stdout(&mut print())).expect("YAML");
    assert_eq!(manifest["spec"]["version"], "v1.2.3");
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), 2);
    for platform in platforms {
        let arch = platform["selector"]["matchLabels"]["arch"].as_str().unwrap();
        let sum = stdout(Command::new("sha256sum").arg(folder.join(format!("vas-linux-{arch}.tar.gz"))));
        assert_eq!(platform["sha256"].as_str(), sum.split(' ').next());
        let uri = platform["uri"].as_str().unwrap();
        assert!(
            uri.ends_with(&format!("/releases/download/v1.2.3/vas-linux-{arch}.tar.gz")),
            "{uri}"
        );
        assert_eq!(platform["bin"], "vas");
    }
}
