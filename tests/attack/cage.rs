//! A memory cgroup around a process, where this user may make one. The kernel ends a process that exceeds the
//! limit, as it would end a container.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A cgroup that is removed when dropped. The process must have ended by then.
#[derive(Debug)]
pub(crate) struct Cage(PathBuf);

impl Cage {
    /// Puts a process into a cgroup below that of this process; `None` where that is not allowed.
    pub(crate) fn around(pid: u32, name: &str, kib: u64) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mut places = own.lines().filter_map(place);
        places.find_map(|(folder, limit)| {
            let folder = folder.join(format!("vas-attack-{}-{name}", std::process::id()));
            fs::create_dir(&folder).ok()?;
            let cage = Self(folder);
            let limit = cage.0.join(limit);
            // The kernel makes this file in a cgroup. Outside of one, writing would make an ordinary file.
            if !limit.exists() {
                return None;
            }
            fs::write(limit, (kib * 1024).to_string()).ok()?;
            fs::write(cage.0.join("cgroup.procs"), pid.to_string()).ok()?;
            Some(cage)
        })
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// The directory that a line of `/proc/self/cgroup` names, and the file name of its memory limit. `None`
/// where memory cannot be limited.
fn place(line: &str) -> Option<(PathBuf, &'static str)> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
    if controllers.is_empty() {
        Some((Path::new("/sys/fs/cgroup").join(path), "memory.max"))
    } else if controllers.split(',').any(|one| one == "memory") {
        Some((
            Path::new("/sys/fs/cgroup/memory").join(path),
            "memory.limit_in_bytes",
        ))
    } else {
        None
    }
}
