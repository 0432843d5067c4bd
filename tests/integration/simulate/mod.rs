//! `vas simulate`: files, the past of a real Prometheus, a resource of a real cluster, and better settings for it.

mod files;
mod live;
mod optimize;
mod past;

use std::{fs, path::PathBuf};

use support::cluster::run_dir;

/// Writes a file of a test.
fn file(name: &str, content: &str) -> PathBuf {
    let folder = run_dir().join("simulate");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, content).unwrap();
    file
}

/// Four hours of 140 requests per second, with 20 minutes of 700/s in them.
fn load() -> String {
    let rows = (0..240).map(|minute| {
        let rate = if (120..140).contains(&minute) { 700 } else { 140 };
        format!("{},{rate}\n", 1_772_359_200 + 60 * minute)
    });
    format!("time,value\n{}", rows.collect::<String>())
}
