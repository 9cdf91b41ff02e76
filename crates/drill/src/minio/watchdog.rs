//! Ends the servers when the drill cannot, because it was killed or aborted.
//!
//! All servers are in one process group, separate from the terminal's, so that Ctrl-C reaches only
//! the drill. The *leader* keeps the group alive, so that servers can join it at any time. The
//! *sweeper* waits for the end of its standard input, whose other end only the drill holds and
//! which closes when the drill ends for any reason. Then it kills the group and removes the folder.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
pub(super) struct Watchdog {
    sweeper: Child,
    leader: Child,
}

impl Watchdog {
    pub(super) fn start(folder: &Path) -> Result<Self, String> {
        let refuse = |error| format!("cannot start the watchdog of the servers (sh, cat): {error}");
        let mut leader = waiting("cat").spawn().map_err(refuse)?;
        let sweeper = waiting("sh")
            .args(["-c", SWEEP, "sweep"])
            .arg(leader.id().to_string())
            .arg(folder)
            .spawn();
        match sweeper {
            Ok(sweeper) => Ok(Self { sweeper, leader }),
            Err(error) => {
                end(&mut leader);
                Err(refuse(error))
            }
        }
    }

    /// The process group of the servers.
    pub(super) fn group(&self) -> i32 {
        // The kernel's type of process ids, whose maximum is far below its limit.
        self.leader.id().cast_signed()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The sweeper first, so that it does not start its work.
        end(&mut self.sweeper);
        end(&mut self.leader);
    }
}

/// A program that waits for the end of its input, in its own process group.
fn waiting(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    command
}

/// Sends SIGKILL and waits for the exit, some milliseconds. An error means that it has ended.
pub(super) fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// `-s KILL`, because dash parses the argument after `-9` differently. The killed processes release
/// their files within the second.
const SWEEP: &str =
    r#"while read -r _; do :; done; kill -s KILL -- "-$1"; sleep 1; rm -rf -- "$2""#;
