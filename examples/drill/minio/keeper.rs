//! Who ends the servers when the drill cannot: it was sent SIGKILL, or it aborted, and nothing of it is dropped.
//!
//! All servers are in one process group, which is not the terminal's: Ctrl-C reaches the drill alone, and the drill decides. The
//! *leader* does nothing but hold that group open, so that servers can join it at any time. The *sweeper* waits for the end of its
//! standard input, whose other end only we hold: it comes when we are gone, in whatever way. Then it kills the group and removes
//! the folder.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[derive(Debug)]
pub(super) struct Keeper {
    sweeper: Child,
    leader: Child,
}

impl Keeper {
    pub(super) fn start(folder: &Path) -> Result<Self, String> {
        let refuse = |error| format!("no process that ends the servers could be started (sh, cat): {error}");
        let mut leader = waiting("cat").spawn().map_err(refuse)?;
        let sweeper = waiting("sh").args(["-c", SWEEP, "sweep"]).arg(leader.id().to_string()).arg(folder).spawn();
        match sweeper {
            Ok(sweeper) => Ok(Self { sweeper, leader }),
            Err(error) => {
                end(&mut leader);
                Err(refuse(error))
            }
        }
    }

    /// The group that the servers are to join.
    pub(super) fn group(&self) -> i32 {
        // The kernel's own type of process ids; their largest is far below its limit.
        self.leader.id().cast_signed()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The sweeper first: there is nothing left for it to do.
        end(&mut self.sweeper);
        end(&mut self.leader);
    }
}

/// A program that waits for the end of its input, in a process group of its own.
fn waiting(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command
}

/// SIGKILL, and its exit, which follows within milliseconds. An error means that it has ended already.
pub(super) fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// `-s KILL`, for dash takes the dashes after `-9` for a process. The second between is for the killed to let go of their files.
const SWEEP: &str = r#"while read -r _; do :; done; kill -s KILL -- "-$1"; sleep 1; rm -rf -- "$2""#;
