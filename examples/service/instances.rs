//! `--instances N`: a fleet on one machine. Every instance is a process, as in a real fleet, so that each has metrics and circuits of
//! its own, and an alert that counts instances can be seen to fire.
//!
//! The first instance starts the others, and writes to each one's standard input what it must not read in the list of processes: the
//! token, and the document of the regions. It then holds that pipe open: where it ends, the others are at the end of their input, and
//! end too, however the first one died.

use std::io::{BufRead, Read};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

use crate::args::Args;
use crate::clock::within;
use crate::server::GRACE;

/// What an instance is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The regions, as TOML.
    pub(crate) document: String,
    pub(crate) token: String,
}

/// The other instances. They end when this is dropped.
pub(crate) struct Fleet {
    children: Vec<Child>,
    /// Apart from the children: waiting for a child would close its input.
    inputs: Vec<ChildStdin>,
}

impl Fleet {
    pub(crate) async fn start(args: &Args, orders: &Orders) -> Result<Self, String> {
        let mut line = serde_json::to_vec(orders).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let mut fleet = Self { children: Vec::new(), inputs: Vec::new() };
        for instance in 2..=args.instances {
            let failed = |error| format!("instance {instance} could not be started: {error}");
            let mut child = command(args, instance).map_err(failed)?.spawn().map_err(failed)?;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(&line).await.map_err(failed)?;
                fleet.inputs.push(input);
            }
            fleet.children.push(child);
        }
        Ok(fleet)
    }

    /// Asks them to end, and waits until they have.
    pub(crate) async fn end(mut self) {
        self.inputs.clear();
        let all = async {
            for child in &mut self.children {
                let _ = child.wait().await;
            }
        };
        // Those that are still there then are killed as they are dropped.
        let _ = within(GRACE * 2, all).await;
    }
}

fn command(args: &Args, instance: u16) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--instance", &instance.to_string(), "--listen", &args.address_of(instance).to_string()]);
    command.args(["--readers", &args.readers().to_string()]);
    command.stdin(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

impl Orders {
    /// Those of this process, from its standard input.
    pub(crate) fn receive() -> Result<Self, String> {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| format!("no orders: {error}"))?;
        serde_json::from_str(&line).map_err(|error| format!("these are no orders: {error}"))
    }
}

/// Asks to stop once the first instance is gone. A thread of its own, for reading a pipe cannot be given up; it ends with the process.
pub(crate) fn end_with_the_first(stop: watch::Sender<bool>) {
    std::thread::spawn(move || {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = stop.send(true);
    });
}

/// Says so when an instance ends by itself: the others go on, as in a fleet.
pub(crate) async fn watch(fleet: &mut Fleet) {
    let ends = fleet.children.iter_mut().enumerate().map(|(index, child)| async move {
        let how = child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
        eprintln!("instance {} has ended: {how}", index + 2);
    });
    futures::future::join_all(ends).await;
    std::future::pending::<()>().await;
}
