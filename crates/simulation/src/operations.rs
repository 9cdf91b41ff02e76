//! Runs the operations of a scenario and checks their results.

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, ObjectStore, PutMode, Result, UpdateVersion};
use object_store_failover::CallOptions;

use crate::checks::CheckedCall;
use crate::object_history::content;
use crate::scenario::Action;
use crate::world::{Write, WriteKind};

impl CheckedCall<'_> {
    /// Runs the operation; returns its result as text, for the trace.
    pub(crate) async fn execute(&self) -> String {
        let path = Path::from(self.step.key.as_str());
        match &self.step.action {
            Action::Get(range, condition) => self.get(&path, range.clone(), *condition).await,
            Action::Head(condition) => self.head(&path, *condition).await,
            Action::GetRanges(ranges) => self.get_ranges(&path, ranges).await,
            Action::List { prefix, offset } => {
                self.list(prefix.as_deref(), offset.as_deref()).await
            }
            Action::ListWithDelimiter(prefix) => {
                let listed = self
                    .run
                    .store
                    .list_with_delimiter(prefix.as_deref().map(Path::from).as_ref())
                    .await;
                describe(&listed.map(|found| {
                    format!(
                        "{} objects, {} folders",
                        found.objects.len(),
                        found.common_prefixes.len()
                    )
                }))
            }
            Action::Put(size) => self.put(&path, *size, PutMode::Overwrite).await,
            Action::Create(size) => self.put(&path, *size, PutMode::Create).await,
            Action::Update(size) => {
                let e_tag = self.tag_at(self.run.expectations.home.unwrap_or_default());
                self.put(
                    &path,
                    *size,
                    PutMode::Update(UpdateVersion {
                        e_tag,
                        version: None,
                    }),
                )
                .await
            }
            Action::Copy { from, if_absent } => self.copy(from, &path, *if_absent).await,
            Action::Delete => self.delete(&path).await,
            Action::ExternalPut(size) => self.external_write(
                &self.step.key,
                WriteKind::Put(content(self.own_id(), *size)),
            ),
            Action::ExternalDelete => self.external_write(&self.step.key, WriteKind::Delete),
            Action::StampCanary(jump) => {
                let wall_clock = UNIX_START_MS + self.now() as i64 + jump * 1000;
                self.external_write(
                    "health/canary",
                    WriteKind::Put(Bytes::from(format!("{wall_clock}\n"))),
                )
            }
        }
    }

    fn external_write(&self, key: &str, what: WriteKind) -> String {
        let now = self.now();
        let region = self.run.expectations.external_writer(key, self.number);
        let done = self
            .run
            .world
            .state()
            .commit(now, region, &Write::unconditional(key, what));
        describe(&done)
    }

    /// The id of the content that this operation writes: no other operation writes it.
    pub(crate) fn own_id(&self) -> u64 {
        FIRST_OWN_ID + self.number
    }

    pub(crate) fn options(&self) -> CallOptions {
        let name = |region: usize| self.run.scenario.settings.regions[region].0.clone();
        CallOptions {
            deadline: self.step.deadline.map(std::time::Duration::from_millis),
            pin: self.step.pin.map(name),
            avoid: self.step.avoid.map(name).into_iter().collect(),
        }
    }
}

/// A result in one line.
pub(crate) fn describe<T: std::fmt::Debug>(result: &Result<T>) -> String {
    result.as_ref().map_or_else(
        |error| format!("error: {error}"),
        |value| format!("{value:?}"),
    )
}

/// An error with the same text.
pub(crate) fn copy_of(error: &Error) -> Error {
    Error::Generic {
        store: "simulation",
        source: error.to_string().into(),
    }
}

/// Content ids of operations begin here; those of initial and external versions count from 1.
const FIRST_OWN_ID: u64 = 1 << 20;
/// The wall-clock time at the begin of a run, in milliseconds since 1970.
const UNIX_START_MS: i64 = 1_780_000_000_000;
