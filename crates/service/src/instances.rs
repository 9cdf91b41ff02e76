//! `--instances N`: several processes on one machine.
//!
//! Each instance has its own circuits and metrics, as on machines of their own, so that alerts
//! which count instances can fire.
//!
//! The first instance starts the others and writes their settings to their standard input:
//! arguments would show the token in the list of processes. The pipe stays open while the first
//! instance runs; the others stop at end of input, whatever ended the first one.

use std::io::{BufRead, Read};
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::args::Args;
use crate::server::SHUTDOWN_TIMEOUT;

/// Settings that the first instance sends to the others.
#[derive(Clone, Serialize, Deserialize)]
pub struct InstanceSettings {
    /// The regions, as TOML.
    pub document: String,
    pub token: String,
}

/// The other instances. Dropping it kills them.
#[derive(Debug)]
pub struct Instances {
    children: Vec<Child>,
    /// Kept apart from `children`: `Child::wait` would close its standard input.
    inputs: Vec<ChildStdin>,
}

impl Instances {
    pub async fn start(args: &Args, settings: &InstanceSettings) -> Result<Self, String> {
        let mut line = serde_json::to_vec(settings).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let mut instances = Self {
            children: Vec::new(),
            inputs: Vec::new(),
        };
        for instance in 2..=args.instances {
            let failed = |error| format!("cannot start instance {instance}: {error}");
            let mut command = command(args, instance).map_err(failed)?;
            let mut child = command.spawn().map_err(failed)?;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(&line).await.map_err(failed)?;
                instances.inputs.push(input);
            }
            instances.children.push(child);
        }
        Ok(instances)
    }

    /// Requests a graceful stop and waits for it; after twice the shutdown timeout they are killed.
    pub async fn stop(mut self) {
        self.inputs.clear();
        let all = async {
            for child in &mut self.children {
                let _ = child.wait().await;
            }
        };
        // On a timeout the drop of `self.children` kills the rest (`kill_on_drop`).
        let _ = timeout(SHUTDOWN_TIMEOUT * 2, all).await;
    }
}

fn command(args: &Args, instance: u16) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["--instance", &instance.to_string()])
        .args(["--listen", &args.address_of(instance).to_string()])
        .args(["--readers", &args.readers().to_string()])
        .stdin(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

impl InstanceSettings {
    /// Reads the settings of this process from its standard input.
    pub fn receive() -> Result<Self, String> {
        let mut line = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| format!("cannot read the instance settings: {error}"))?;
        serde_json::from_str(&line).map_err(|error| format!("invalid instance settings: {error}"))
    }
}

impl std::fmt::Debug for InstanceSettings {
    /// Shows nothing: the document may hold credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstanceSettings").finish_non_exhaustive()
    }
}

/// Requests a stop when the first instance has ended.
///
/// Uses a thread because a blocking read of standard input cannot be cancelled; the thread ends
/// with the process.
pub fn stop_with_first_instance(stop: watch::Sender<bool>) {
    std::thread::spawn(move || {
        let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
        let _ = stop.send(true);
    });
}

/// Reports each instance that exits while the others run. Never returns.
pub async fn report_exits(instances: &mut Instances) {
    let children = instances.children.iter_mut().enumerate();
    let exits = children.map(|(index, child)| async move {
        let status = match child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        eprintln!("instance {} has exited: {status}", index + 2);
    });
    futures::future::join_all(exits).await;
    std::future::pending::<()>().await;
}
