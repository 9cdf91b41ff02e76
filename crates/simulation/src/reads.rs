//! Reads of objects, checked against the object history.

use std::ops::Range;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore};
use object_store_failover::{Operation, ServedBy};

use crate::checks::CheckedCall;
use crate::object_history::Version;
use crate::operations::{copy_of, describe};
use crate::scenario::Condition;
use crate::violation::Invariant;

impl CheckedCall<'_> {
    pub(crate) fn tag_at(&self, region: usize) -> Option<String> {
        let (now, state) = (self.now(), self.run.world.state());
        let shown = state.history.visible(&self.step.key, region, now);
        shown
            .filter(|version| version.content.is_some())
            .map(|version| state.tag(version, region))
    }

    fn get_options(&self, range: Option<GetRange>, condition: Condition, head: bool) -> GetOptions {
        let tag = self.tag_at(self.number as usize % self.run.expectations.regions);
        let mut options = GetOptions {
            range,
            head,
            ..GetOptions::default()
        };
        match condition {
            Condition::None => {}
            Condition::Match => options.if_match = tag,
            Condition::NoneMatch => options.if_none_match = tag,
        }
        options.extensions.insert(self.options());
        options
    }

    pub(crate) async fn get(
        &self,
        path: &Path,
        range: Option<GetRange>,
        condition: Condition,
    ) -> String {
        let readers = self.run.expectations.readers(self.step);
        let options = self.get_options(range.clone(), condition, false);
        let response = self.run.store.get_opts(path, options.clone()).await;
        self.on_head(Operation::Get, readers.len());
        let result = match response {
            Ok(result) => result,
            Err(error) => return self.failed(&readers, &options, &error),
        };
        self.on_served();
        let (meta, returned) = (result.meta.clone(), result.range.clone());
        let stale = result
            .extensions
            .get::<ServedBy>()
            .is_some_and(|served| served.stale);
        let bytes = match result.bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return describe::<String>(&Err(error)),
        };
        let admissible = self.admissible(&readers, stale);
        let fits = |version: &Version| {
            let Some(whole) = &version.content else {
                return false;
            };
            let wanted = range.as_ref().map_or(Ok(0..whole.len() as u64), |range| {
                range.as_range(whole.len() as u64)
            });
            wanted.is_ok_and(|wanted| {
                wanted == returned && whole[wanted.start as usize..wanted.end as usize] == bytes
            })
        };
        self.on_bytes(&admissible, |version| fits(version));
        self.check_tag(&meta, fits);
        format!(
            "{} bytes of {}",
            bytes.len(),
            meta.e_tag.unwrap_or_default()
        )
    }

    /// The regions whose versions a response may have: only home for a key of home, unless the
    /// response is marked as stale.
    fn admissible(&self, readers: &[usize], stale: bool) -> Vec<usize> {
        let home = self
            .run
            .expectations
            .home
            .filter(|_| self.run.expectations.belongs_to_home(&self.step.key) && !stale);
        home.filter(|home| readers.contains(home))
            .map_or_else(|| readers.to_vec(), |home| vec![home])
    }

    /// The bytes are those of the version that the ETag names.
    fn check_tag(&self, meta: &ObjectMeta, fits: impl Fn(&Version) -> bool) {
        let state = self.run.world.state();
        let agrees = state
            .history
            .versions(&self.step.key)
            .iter()
            .any(|version| fits(version) && self.is_of(&state, version, meta));
        drop(state);
        if !agrees {
            self.add_violation(
                Invariant::NoTornRead,
                format!(
                    "{} has the ETag {:?} of another version",
                    self.step.key, meta.e_tag
                ),
            );
        }
    }

    fn failed(&self, readers: &[usize], options: &GetOptions, error: &Error) -> String {
        let named = options.if_match.as_ref().or(options.if_none_match.as_ref());
        if let (Some(tag), Error::NotModified { .. }) = (named, error) {
            self.check_unmodified(readers, tag);
        }
        if options.if_match.is_none() {
            self.on_error(readers, error);
        }
        describe::<String>(&Err(copy_of(error)))
    }

    /// A 304 is correct if some region had that version.
    fn check_unmodified(&self, readers: &[usize], tag: &str) {
        let (now, state) = (self.now(), self.run.world.state());
        let shown = state
            .history
            .visible_within(&self.step.key, readers, self.since, now);
        let had = shown.into_iter().any(|version| {
            readers
                .iter()
                .any(|region| state.tag(version, *region) == tag)
        });
        drop(state);
        if !had {
            self.add_violation(
                Invariant::NoFalseCondition,
                format!("304 for {tag}, which no region showed"),
            );
        }
    }

    pub(crate) async fn head(&self, path: &Path, condition: Condition) -> String {
        let readers = self.run.expectations.readers(self.step);
        let options = self.get_options(None, condition, true);
        let response = self.run.store.get_opts(path, options.clone()).await;
        self.on_head(Operation::Head, readers.len());
        match response {
            Ok(result) => {
                self.on_served();
                let stale = result
                    .extensions
                    .get::<ServedBy>()
                    .is_some_and(|served| served.stale);
                let state = self.run.world.state();
                let etags = |version: &Version| {
                    (0..self.run.expectations.regions)
                        .map(|region| state.tag(version, region))
                        .collect::<Vec<_>>()
                };
                let versions = state.history.versions(&self.step.key);
                let ids: Vec<_> = versions
                    .iter()
                    .filter(|version| {
                        etags(version).contains(&result.meta.e_tag.clone().unwrap_or_default())
                    })
                    .map(|version| version.id)
                    .collect();
                drop(state);
                let size = result.meta.size;
                self.on_bytes(&self.admissible(&readers, stale), |version| {
                    ids.contains(&version.id)
                        && version
                            .content
                            .as_ref()
                            .is_some_and(|whole| whole.len() as u64 == size)
                });
                format!("{size} bytes of {ids:?}")
            }
            Err(error) => self.failed(&readers, &options, &error),
        }
    }

    pub(crate) async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> String {
        let step = crate::scenario::Step {
            pin: None,
            avoid: None,
            ..self.step.clone()
        };
        let readers = self.run.expectations.readers(&step);
        match self.run.store.get_ranges(path, ranges).await {
            Ok(parts) => {
                let is_of = |whole: &Bytes, range: &Range<u64>, part: &Bytes| {
                    let end = range.end.min(whole.len() as u64) as usize;
                    whole.get(range.start as usize..end) == Some(part)
                };
                let fits = |version: &Version| {
                    version.content.as_ref().is_some_and(|whole| {
                        ranges
                            .iter()
                            .zip(&parts)
                            .all(|(range, part)| is_of(whole, range, part))
                    })
                };
                self.check_parts(ranges, &parts, is_of);
                self.on_bytes(&readers, fits);
                format!("{} parts", parts.len())
            }
            Err(error) => {
                if matches!(error, Error::NotFound { .. }) {
                    self.on_error(&readers, &error);
                }
                describe::<String>(&Err(error))
            }
        }
    }

    /// All parts are of one version. Parts of no version are reported by `on_bytes`.
    fn check_parts(
        &self,
        ranges: &[Range<u64>],
        parts: &[Bytes],
        is_of: impl Fn(&Bytes, &Range<u64>, &Bytes) -> bool,
    ) {
        let state = self.run.world.state();
        let versions: Vec<_> = state
            .history
            .versions(&self.step.key)
            .iter()
            .filter_map(|version| version.content.as_ref())
            .collect();
        let pairs: Vec<_> = ranges.iter().zip(parts).collect();
        let each = pairs
            .iter()
            .all(|(range, part)| versions.iter().any(|whole| is_of(whole, range, part)));
        let all = versions
            .iter()
            .any(|whole| pairs.iter().all(|(range, part)| is_of(whole, range, part)));
        drop(state);
        if each && !all {
            self.add_violation(
                Invariant::NoTornRead,
                format!("parts of several versions of {}", self.step.key),
            );
        }
    }
}
