//! The folder of a run: drives, logs, settings of `mc`. Dropping it removes the folder.
//!
//! In memory if there is enough: MinIO syncs each write and creates thousands of small files.
//! Removing those of one run took 35 s on a virtual disk, and 0.4 s in memory. The drill measures
//! reads, which come from memory anyway.

use std::fs::{DirBuilder, remove_dir_all};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::credentials::hex;

#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Self, String> {
        let path = location().join(format!("drill-minio-{}", hex()?));
        let refuse = |error| {
            format!(
                "{}: {error}; set TMPDIR to a folder with some GiB of free space",
                path.display()
            )
        };
        // Files in the folder hold secrets.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(refuse)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A killed process may have created a file just before.
        for _ in 0..TRIES {
            match remove_dir_all(&self.0) {
                Ok(()) => return,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(_) => {}
            }
        }
        eprintln!("warning: cannot remove {}", self.0.display());
    }
}

/// `TMPDIR` if set, else memory if there is enough, else the system's temporary folder.
fn location() -> PathBuf {
    let is_set = std::env::var_os("TMPDIR").is_some();
    if !is_set && free_space(MEMORY).unwrap_or(0) >= MIN_FREE && memory().unwrap_or(0) >= MIN_FREE {
        MEMORY.into()
    } else {
        std::env::temp_dir()
    }
}

/// Free KiB of a folder: the fourth column of the second line of `df`.
fn free_space(folder: &str) -> Option<u64> {
    let output = Command::new("df")
        .args(["-Pk", folder])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout)
        .ok()?
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()
}

/// Available memory in KiB.
fn memory() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

const TRIES: usize = 10;
const MEMORY: &str = "/dev/shm";
/// KiB. The objects of a drill have 280 MB; three regions store them twice each, for parity.
const MIN_FREE: u64 = 4 * 1024 * 1024;

/// Creates the folder with its parents.
pub(super) fn folder(path: PathBuf) -> Result<PathBuf, String> {
    std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
