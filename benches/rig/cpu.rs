//! The processor time of a client: this process, which holds nothing but readers and client, and the proxies among its children.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// The processes of a proxy.
pub(crate) struct Processes(Vec<Pid>);

impl Processes {
    /// No proxy.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// All that have come of this one, except the regions, which bear our own program's name. To be asked once a proxy is at work: it
    /// starts processes of its own.
    pub(crate) fn below_us() -> Self {
        let Ok(ours) = fs::read_to_string("/proc/self/comm") else { return Self::none() };
        let ids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let all: HashMap<i32, (String, i32)> = ids.filter_map(|id| Some((id, name_and_parent(id)?))).collect();
        let us = i32::try_from(std::process::id()).unwrap_or_default();
        let below = |mut id: i32| loop {
            match all.get(&id) {
                Some((_, parent)) if *parent == us => return true,
                Some((_, parent)) => id = *parent,
                None => return false,
            }
        };
        let proxies = all.iter().filter(|(id, (name, _))| below(**id) && *name != ours.trim());
        Self(proxies.map(|(id, _)| Pid::from_raw(*id)).collect())
    }

    /// What we and they have used so far.
    pub(crate) fn used(&self) -> Duration {
        let theirs = self.0.iter().filter_map(|id| clock_getcpuclockid(*id).ok());
        let clocks = theirs.chain([ClockId::CLOCK_PROCESS_CPUTIME_ID]);
        clocks.filter_map(|clock| clock.now().ok()).map(Duration::from).sum()
    }
}

/// `/proc/<id>/stat` begins with `id (name) state parent`; the name may hold anything.
fn name_and_parent(id: i32) -> Option<(String, i32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    Some((name.to_owned(), rest.split_whitespace().nth(1)?.parse().ok()?))
}
