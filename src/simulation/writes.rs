//! Writes, as a caller would make them, held against the truth.

use object_store::path::Path;
use object_store::{CopyMode, CopyOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, Result};

use super::checks::Asked;
use super::operate::told;
use super::truth::{Version, content};
use super::violation::Invariant;
use crate::failover::scope::WriteRule;
use crate::operation::Operation;

impl Asked<'_> {
    pub(super) async fn put(&self, path: &Path, size: u64, mode: PutMode) -> String {
        // A byte more than nothing, so that the version can be told from others.
        let bytes = content(self.own_id(), size.max(8));
        let conditional = !matches!(mode, PutMode::Overwrite);
        let mut options = PutOptions { mode, ..PutOptions::default() };
        options.extensions.insert(self.options());
        let put = self.stage.store.put_opts(path, bytes.clone().into(), options).await;
        self.on_write(Operation::Put, conditional);
        let landed = self.has_landed(|version| version.content.as_ref() == Some(&bytes));
        self.check_write(&put, landed, conditional);
        told(&put.map(|put| put.e_tag))
    }

    pub(super) async fn copy(&self, from: &str, to: &Path, if_absent: bool) -> String {
        let mode = if if_absent { CopyMode::Create } else { CopyMode::Overwrite };
        let mut options = CopyOptions { mode, ..CopyOptions::default() };
        options.extensions.insert(self.options());
        let copied = self.stage.store.copy_opts(&Path::from(from), to, options).await;
        self.on_write(Operation::Copy, if_absent);
        let landed = self.has_landed(|version| version.content.is_some());
        self.check_write(&copied, landed, false);
        told(&copied)
    }

    pub(super) async fn delete(&self, path: &Path) -> String {
        let deleted = self.stage.store.delete(path).await;
        let landed = self.has_landed(|version| version.content.is_none());
        self.check_write(&deleted, landed, false);
        told(&deleted)
    }

    fn on_write(&self, operation: Operation, conditional: bool) {
        let rules = &self.stage.rules;
        let one = conditional || rules.writes != WriteRule::Anywhere;
        let avoided = usize::from(self.step.avoid.is_some());
        let writers = if one || self.step.pin.is_some() { 1 } else { rules.regions - avoided };
        self.on_head(operation, writers);
    }

    /// A version that is like this has taken effect during the call.
    fn has_landed(&self, is_own: impl Fn(&Version) -> bool) -> bool {
        let state = self.stage.world.state();
        state.truth.versions(&self.step.key).iter().any(|version| version.at >= self.since && is_own(version))
    }

    fn check_write<T>(&self, answer: &Result<T>, landed: bool, is_only_own: bool) {
        match answer {
            Ok(_) if !landed => {
                self.violate(Invariant::NoLostWrite, format!("a write of {} was acknowledged, and is nowhere", self.step.key))
            }
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) if landed && is_only_own => {
                self.violate(Invariant::NoLostWrite, format!("its own write of {} was called somebody else's", self.step.key));
            }
            _ => {}
        }
    }
}
