//! The CPU time of a client: of this process, which runs readers and client, and of the proxies
//! among its child processes.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// The processes of a proxy.
pub struct Processes(Vec<Pid>);

impl Processes {
    /// For a client without a proxy.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// All descendants of this process except the regions, which have its own program name. Call it
    /// when the proxy serves, because it starts further processes.
    pub fn of_proxies() -> Self {
        let Ok(own_name) = fs::read_to_string("/proc/self/comm") else {
            return Self::none();
        };
        let ids = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let all: HashMap<i32, (String, i32)> = ids
            .filter_map(|id| Some((id, name_and_parent(id)?)))
            .collect();
        let own_id = i32::try_from(std::process::id()).unwrap_or_default();
        let is_descendant = |mut id: i32| loop {
            match all.get(&id) {
                Some((_, parent)) if *parent == own_id => return true,
                Some((_, parent)) => id = *parent,
                None => return false,
            }
        };
        let proxies = all
            .iter()
            .filter(|(id, (name, _))| is_descendant(**id) && *name != own_name.trim());
        Self(proxies.map(|(id, _)| Pid::from_raw(*id)).collect())
    }

    /// CPU time that this process and the proxies have used.
    pub fn used(&self) -> Duration {
        let proxies = self.0.iter().filter_map(|id| clock_getcpuclockid(*id).ok());
        let clocks = proxies.chain([ClockId::CLOCK_PROCESS_CPUTIME_ID]);
        clocks
            .filter_map(|clock| clock.now().ok())
            .map(Duration::from)
            .sum()
    }
}

/// `/proc/<id>/stat` starts with `id (name) state parent`; the name may contain any character.
fn name_and_parent(id: i32) -> Option<(String, i32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    Some((
        name.to_owned(),
        rest.split_whitespace().nth(1)?.parse().ok()?,
    ))
}
