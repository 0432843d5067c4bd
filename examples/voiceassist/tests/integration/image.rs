//! The entry point of the image of PostgreSQL, over programs that only say how they were started: it never removes data.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output};

use tempfile::TempDir;
use tokio::process::Command;

/// Makes a database as far as the entry point looks at it.
const INITDB: &str = r#"[ "$1" = --pgdata ] && mkdir "$2" && echo 15 >"$2/PG_VERSION""#;

/// Says its arguments.
const POSTGRES: &str = r#"echo "postgres $*""#;

fn program(folder: &Path, name: &str, script: &str) {
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
}

/// A volume whose folder `data` has these files, after the entry point was started over it.
async fn started(files: &[&str]) -> (TempDir, Output) {
    let volume = tempfile::tempdir().unwrap();
    let programs = tempfile::tempdir().unwrap();
    program(programs.path(), "initdb", INITDB);
    program(programs.path(), "postgres", POSTGRES);
    let data = volume.path().join("data");
    for file in files {
        let file = volume.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "kept").unwrap();
    }
    let output = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/image/postgres.sh"))
        .env("PATH", format!("{}:/usr/bin:/bin", programs.path().display()))
        .env("PGDATA", &data)
        .env("POSTGRES_USER", "voiceassist")
        .env("POSTGRES_DB", "voiceassist")
        .env("POSTGRES_PASSWORD", "a password")
        .output()
        .await
        .unwrap();
    (volume, output)
}

fn text(volume: &TempDir, file: &str) -> Option<String> {
    fs::read_to_string(volume.path().join(file)).ok()
}

#[tokio::test]
async fn an_empty_volume_gets_a_database_and_the_rest_of_a_first_start_that_was_cut_off_goes() {
    for files in [&[][..], &["data.new/PG_VERSION", "data.new/half"]] {
        let (volume, output) = started(files).await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(text(&volume, "data/PG_VERSION").as_deref(), Some("15\n"));
        assert_eq!(text(&volume, "data/half"), None);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("listen_addresses=*"), "{said}");
    }
}

#[tokio::test]
async fn a_database_is_started_as_it_is() {
    let (volume, output) = started(&["data/PG_VERSION", "data/base"]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&volume, "data/PG_VERSION").as_deref(), Some("kept"));
    assert_eq!(text(&volume, "data/base").as_deref(), Some("kept"));
}

#[tokio::test]
async fn files_without_a_version_are_somebodys_data_and_stay() {
    let (volume, output) = started(&["data/base", "data/pg_wal/1"]).await;
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(text(&volume, "data/base").as_deref(), Some("kept"));
    assert_eq!(text(&volume, "data/pg_wal/1").as_deref(), Some("kept"));
}
