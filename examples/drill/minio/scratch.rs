//! The folder of a run: drives, logs, settings of `mc`. It goes when this is dropped.
//!
//! It is in memory where that is plentiful. MinIO waits for its disk at each write, and makes thousands of small files: on a virtual
//! disk of our own to remove those of one run took 35 s, in memory 0.4 s. The drill is about reads, which come from memory anyway.

use std::fs::{DirBuilder, remove_dir_all};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::login::hex;

#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new() -> Result<Self, String> {
        let path = place().join(format!("drill-minio-{}", hex()?));
        let refuse = |error| format!("{}: {error}; set TMPDIR to a folder with some GiB to spare", path.display());
        // Secrets are passed on in there.
        DirBuilder::new().mode(0o700).create(&path).map_err(refuse)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A process that was killed a moment ago may still have made a file.
        for _ in 0..TRIES {
            match remove_dir_all(&self.0) {
                Ok(()) => return,
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(_) => {}
            }
        }
        eprintln!("warning: {} could not be removed", self.0.display());
    }
}

/// What TMPDIR says; else memory, if there is enough; else where the system has its temporary files.
fn place() -> PathBuf {
    let asked = std::env::var_os("TMPDIR").is_some();
    if !asked && room(MEMORY).unwrap_or(0) >= ENOUGH && memory().unwrap_or(0) >= ENOUGH { MEMORY.into() } else { std::env::temp_dir() }
}

/// KiB that can still be written to a folder, as `df` says: the fourth column of the second line.
fn room(folder: &str) -> Option<u64> {
    let said = Command::new("df").args(["-Pk", folder]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(said.stdout).ok()?.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

/// KiB of memory that nobody needs.
fn memory() -> Option<u64> {
    let known = std::fs::read_to_string("/proc/meminfo").ok()?;
    known.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?.split_whitespace().next()?.parse().ok()
}

const TRIES: usize = 10;
const MEMORY: &str = "/dev/shm";
/// KiB. The drill's objects come to 280 MB; three regions keep them twice each, for parity.
const ENOUGH: u64 = 4 * 1024 * 1024;

/// A folder inside of it, with its parents.
pub(super) fn folder(path: PathBuf) -> Result<PathBuf, String> {
    std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
