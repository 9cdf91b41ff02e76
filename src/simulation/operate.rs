//! Operations: each is made as a caller would make it, and its answer is checked.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, PutMode, Result, UpdateVersion};

use super::checks::Asked;
use super::plan::Action;
use super::truth::content;
use super::world::{What, Write};
use crate::request::CallOptions;

impl Asked<'_> {
    /// Does it; what came of it, for the trace.
    pub(super) async fn run(&self) -> String {
        let path = Path::from(self.step.key.as_str());
        match &self.step.action {
            Action::Get(range, condition) => self.get(&path, range.clone(), *condition).await,
            Action::Head(condition) => self.head(&path, *condition).await,
            Action::Ranges(ranges) => self.get_ranges(&path, ranges).await,
            Action::List { prefix, offset } => self.list(prefix.as_deref(), offset.as_deref()).await,
            Action::ListLevel(prefix) => {
                let listed = self.stage.store.list_with_delimiter(prefix.as_deref().map(Path::from).as_ref()).await;
                told(&listed.map(|found| format!("{} objects, {} folders", found.objects.len(), found.common_prefixes.len())))
            }
            Action::Put(size) => self.put(&path, *size, PutMode::Overwrite).await,
            Action::Create(size) => self.put(&path, *size, PutMode::Create).await,
            Action::Update(size) => {
                let e_tag = self.tag_at(self.stage.rules.home.unwrap_or_default());
                self.put(&path, *size, PutMode::Update(UpdateVersion { e_tag, version: None })).await
            }
            Action::Copy { from, if_absent } => self.copy(from, &path, *if_absent).await,
            Action::Delete => self.delete(&path).await,
            Action::PutElsewhere(size) => self.elsewhere(&self.step.key, What::Put(content(self.own_id(), *size))),
            Action::DeleteElsewhere => self.elsewhere(&self.step.key, What::Delete),
            Action::Stamp(jump) => {
                let calendar = 1_780_000_000_000 + self.now() as i64 + jump * 1000;
                self.elsewhere("health/canary", What::Put(Bytes::from(format!("{calendar}\n"))))
            }
        }
    }

    fn elsewhere(&self, key: &str, what: What) -> String {
        let now = self.now();
        let region = self.stage.rules.elsewhere(self.number);
        let done = self.stage.world.state().commit(now, region, &Write::always(key, what));
        told(&done)
    }

    /// The bytes of what this operation writes are no other's.
    pub(super) fn own_id(&self) -> u64 {
        OWN + self.number
    }

    pub(super) fn options(&self) -> CallOptions {
        let name = |region: usize| self.stage.plan.settings.regions[region].0.clone();
        CallOptions {
            deadline: self.step.deadline.map(std::time::Duration::from_millis),
            pin: self.step.pin.map(name),
            avoid: self.step.avoid.map(name).into_iter().collect(),
        }
    }
}

/// What came of it, in one line.
pub(super) fn told<T: std::fmt::Debug>(result: &Result<T>) -> String {
    result.as_ref().map_or_else(|error| format!("error: {error}"), |value| format!("{value:?}"))
}

/// An error that says the same.
pub(super) fn copy_of(error: &Error) -> Error {
    Error::Generic { store: "simulation", source: error.to_string().into() }
}

/// Ids of versions that operations write begin here; the others count from 1.
const OWN: u64 = 1 << 20;
