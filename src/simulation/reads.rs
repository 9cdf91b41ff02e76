//! Reads of objects, as a caller would make them, held against the truth.

use std::ops::Range;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore};

use super::checks::Asked;
use super::operate::{copy_of, told};
use super::plan::Condition;
use super::truth::Version;
use super::violation::Invariant;
use crate::operation::Operation;
use crate::store::ServedBy;

impl Asked<'_> {
    pub(super) fn tag_at(&self, region: usize) -> Option<String> {
        let (now, state) = (self.now(), self.stage.world.state());
        let shown = state.truth.shown(&self.step.key, region, now);
        shown.filter(|version| version.content.is_some()).map(|version| state.tag(version, region))
    }

    fn get_options(&self, range: Option<GetRange>, condition: Condition, head: bool) -> GetOptions {
        let tag = self.tag_at(self.number as usize % self.stage.rules.regions);
        let mut options = GetOptions { range, head, ..GetOptions::default() };
        match condition {
            Condition::None => {}
            Condition::Match => options.if_match = tag,
            Condition::NoneMatch => options.if_none_match = tag,
        }
        options.extensions.insert(self.options());
        options
    }

    pub(super) async fn get(&self, path: &Path, range: Option<GetRange>, condition: Condition) -> String {
        let readers = self.stage.rules.readers(self.step);
        let options = self.get_options(range.clone(), condition, false);
        let answer = self.stage.store.get_opts(path, options.clone()).await;
        self.on_head(Operation::Get, readers.len());
        let result = match answer {
            Ok(result) => result,
            Err(error) => return self.failed(&readers, &options, &error),
        };
        self.on_served();
        let (meta, given) = (result.meta.clone(), result.range.clone());
        let stale = result.extensions.get::<ServedBy>().is_some_and(|served| served.stale);
        let bytes = match result.bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return told::<String>(&Err(error)),
        };
        let may_show = self.may_show(&readers, stale);
        let fits = |version: &Version| {
            let Some(whole) = &version.content else { return false };
            let wanted = range.as_ref().map_or(Ok(0..whole.len() as u64), |range| range.as_range(whole.len() as u64));
            wanted.is_ok_and(|wanted| wanted == given && whole[wanted.start as usize..wanted.end as usize] == bytes)
        };
        self.on_bytes(&may_show, |version| fits(version));
        self.check_tag(&meta, fits);
        format!("{} bytes of {}", bytes.len(), meta.e_tag.unwrap_or_default())
    }

    /// Whose bytes an answer may be made of: home's alone, where the key is home's and the answer does not say that it may be stale.
    fn may_show(&self, readers: &[usize], stale: bool) -> Vec<usize> {
        let home = self.stage.rules.home.filter(|_| self.stage.rules.is_homes(&self.step.key) && !stale);
        home.filter(|home| readers.contains(home)).map_or_else(|| readers.to_vec(), |home| vec![home])
    }

    /// The answer says of which version it is, and it is.
    fn check_tag(&self, meta: &ObjectMeta, fits: impl Fn(&Version) -> bool) {
        let state = self.stage.world.state();
        let agrees = state.truth.versions(&self.step.key).iter().any(|version| fits(version) && self.is_of(&state, version, meta));
        drop(state);
        if !agrees {
            self.violate(Invariant::NoTornRead, format!("{} bears the tag {:?} of another version", self.step.key, meta.e_tag));
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
        told::<String>(&Err(copy_of(error)))
    }

    /// 304: some region had that version.
    fn check_unmodified(&self, readers: &[usize], tag: &str) {
        let (now, state) = (self.now(), self.stage.world.state());
        let shown = state.truth.shown_within(&self.step.key, readers, self.since, now);
        let had = shown.into_iter().any(|version| readers.iter().any(|region| state.tag(version, *region) == tag));
        drop(state);
        if !had {
            self.violate(Invariant::NoFalseCondition, format!("304 for {tag}, which nobody showed"));
        }
    }

    pub(super) async fn head(&self, path: &Path, condition: Condition) -> String {
        let readers = self.stage.rules.readers(self.step);
        let options = self.get_options(None, condition, true);
        let answer = self.stage.store.get_opts(path, options.clone()).await;
        self.on_head(Operation::Head, readers.len());
        match answer {
            Ok(result) => {
                self.on_served();
                let stale = result.extensions.get::<ServedBy>().is_some_and(|served| served.stale);
                let state = self.stage.world.state();
                let tags = |version: &Version| (0..self.stage.rules.regions).map(|region| state.tag(version, region)).collect::<Vec<_>>();
                let versions = state.truth.versions(&self.step.key);
                let ids: Vec<_> = versions
                    .iter()
                    .filter(|version| tags(version).contains(&result.meta.e_tag.clone().unwrap_or_default()))
                    .map(|version| version.id)
                    .collect();
                drop(state);
                let size = result.meta.size;
                self.on_bytes(&self.may_show(&readers, stale), |version| {
                    ids.contains(&version.id) && version.content.as_ref().is_some_and(|whole| whole.len() as u64 == size)
                });
                format!("{size} bytes of {ids:?}")
            }
            Err(error) => self.failed(&readers, &options, &error),
        }
    }

    pub(super) async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> String {
        let step = super::plan::Step { pin: None, avoid: None, ..self.step.clone() };
        let readers = self.stage.rules.readers(&step);
        match self.stage.store.get_ranges(path, ranges).await {
            Ok(parts) => {
                let is_of = |whole: &Bytes, range: &Range<u64>, part: &Bytes| {
                    let end = range.end.min(whole.len() as u64) as usize;
                    whole.get(range.start as usize..end) == Some(part)
                };
                let fits = |version: &Version| {
                    version.content.as_ref().is_some_and(|whole| ranges.iter().zip(&parts).all(|(range, part)| is_of(whole, range, part)))
                };
                self.check_parts(ranges, &parts, is_of);
                self.on_bytes(&readers, fits);
                format!("{} parts", parts.len())
            }
            Err(error) => {
                if matches!(error, Error::NotFound { .. }) {
                    self.on_error(&readers, &error);
                }
                told::<String>(&Err(error))
            }
        }
    }

    /// Parts that each are of some version are all of one.
    fn check_parts(&self, ranges: &[Range<u64>], parts: &[Bytes], is_of: impl Fn(&Bytes, &Range<u64>, &Bytes) -> bool) {
        let state = self.stage.world.state();
        let versions: Vec<_> = state.truth.versions(&self.step.key).iter().filter_map(|version| version.content.as_ref()).collect();
        let pairs: Vec<_> = ranges.iter().zip(parts).collect();
        let each = pairs.iter().all(|(range, part)| versions.iter().any(|whole| is_of(whole, range, part)));
        let all = versions.iter().any(|whole| pairs.iter().all(|(range, part)| is_of(whole, range, part)));
        drop(state);
        if each && !all {
            self.violate(Invariant::NoTornRead, format!("parts of several versions of {}", self.step.key));
        }
    }
}
