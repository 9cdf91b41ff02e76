//! Writes, checked against the object history.

use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, Result,
};
use object_store_failover::Operation;
use object_store_failover::internals::WriteRule;

use crate::checks::CheckedCall;
use crate::object_history::{Version, content};
use crate::operations::describe;
use crate::scenario::Action;
use crate::violation::Invariant;

impl CheckedCall<'_> {
    pub(crate) async fn put(&self, path: &Path, size: u64, mode: PutMode) -> String {
        // Eight bytes identify a version.
        let bytes = content(self.own_id(), size.max(8));
        let conditional = !matches!(mode, PutMode::Overwrite);
        let mut options = PutOptions {
            mode,
            ..PutOptions::default()
        };
        options.extensions.insert(self.options());
        let put = self
            .run
            .store
            .put_opts(path, bytes.clone().into(), options)
            .await;
        self.on_write(Operation::Put, conditional);
        let took_effect = self.has_taken_effect(|version| version.content.as_ref() == Some(&bytes));
        self.check_write(&put, took_effect, conditional);
        describe(&put.map(|put| put.e_tag))
    }

    pub(crate) async fn copy(&self, from: &str, to: &Path, if_absent: bool) -> String {
        let mode = if if_absent {
            CopyMode::Create
        } else {
            CopyMode::Overwrite
        };
        let mut options = CopyOptions {
            mode,
            ..CopyOptions::default()
        };
        options.extensions.insert(self.options());
        let copied = self
            .run
            .store
            .copy_opts(&Path::from(from), to, options)
            .await;
        self.on_write(Operation::Copy, if_absent);
        let took_effect = self.has_taken_effect(|version| version.content.is_some());
        self.check_write(&copied, took_effect, false);
        describe(&copied)
    }

    pub(crate) async fn delete(&self, path: &Path) -> String {
        let deleted = self.run.store.delete(path).await;
        let took_effect = self.has_taken_effect(|version| version.content.is_none());
        self.check_write(&deleted, took_effect, false);
        describe(&deleted)
    }

    fn on_write(&self, operation: Operation, conditional: bool) {
        let expectations = &self.run.expectations;
        let keys = match &self.step.action {
            Action::Copy { from, .. } => vec![from.as_str(), &self.step.key],
            _ => vec![self.step.key.as_str()],
        };
        let one = conditional
            || expectations.writes != WriteRule::Anywhere
            || keys.iter().any(|key| expectations.belongs_to_home(key));
        let avoided = usize::from(self.step.avoid.is_some());
        let writers = if one || self.step.pin.is_some() {
            1
        } else {
            expectations.regions - avoided
        };
        self.on_head(operation, writers);
    }

    /// A version that satisfies `is_own` has taken effect during the call.
    fn has_taken_effect(&self, is_own: impl Fn(&Version) -> bool) -> bool {
        let state = self.run.world.state();
        state
            .history
            .versions(&self.step.key)
            .iter()
            .any(|version| version.at >= self.since && is_own(version))
    }

    fn check_write<T>(&self, result: &Result<T>, took_effect: bool, is_only_own: bool) {
        match result {
            Ok(_) if !took_effect => self.add_violation(
                Invariant::NoLostWrite,
                format!(
                    "a write of {} was acknowledged, and no region has it",
                    self.step.key
                ),
            ),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. })
                if took_effect && is_only_own =>
            {
                self.add_violation(
                    Invariant::NoLostWrite,
                    format!(
                        "its own write of {} was reported as another writer's",
                        self.step.key
                    ),
                );
            }
            _ => {}
        }
    }
}
