//! Random lives of a store against what really lies in the buckets: what must never happen does not.
//!
//! Three regions with a bucket each and replication that lags, fails and is forgotten; regions that fail before a write is done, after
//! it, and in the middle of a body. Whatever happens:
//!
//! - an acknowledged write is at home, unless a later one has replaced it;
//! - of two that create one key at most one is told that it did;
//! - no body is read that no single version ever had;
//! - no key is `NotFound` that a reachable region holds and home has not deleted.
//!
//! `PROPTEST_CASES=n` runs more; a failing life is shrunk to the shortest that fails.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::future::join;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion};
use object_store_failover::{FailoverError, FailoverStore};
use proptest::prelude::*;
use serde_json::json;
use support::{Fault, Mode, Scripted, Tagged, join as over, ms, settings};

const REGIONS: usize = 3;
const KEYS: u8 = 3;

#[derive(Debug, Clone)]
enum Step {
    Put(u8),
    Create(u8),
    TwoCreate(u8),
    Update(u8),
    Delete(u8),
    Get(u8),
    GetPart(u8),
    GetParts(u8),
    List,
    /// A key is copied from home to another region, or removed there where home has none.
    Replicate(u8, usize),
    Become(usize, Mode),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![
        4 => Just(Mode::Serve),
        1 => Just(Mode::Fail(Fault::Connect)),
        1 => Just(Mode::Fail(Fault::Reset)),
        1 => Just(Mode::Fail(Fault::Status(503, "SlowDown"))),
        1 => Just(Mode::Fail(Fault::Status(403, "AccessDenied"))),
        2 => Just(Mode::DoneThen(Fault::Reset)),
        1 => Just(Mode::DoneThen(Fault::Status(500, "InternalError"))),
        2 => (0u64..60).prop_map(Mode::BreakAfter),
        1 => (0u64..60).prop_map(Mode::StallAfter),
        1 => (0u64..60).prop_map(Mode::CutAfter),
        1 => Just(Mode::Overlong),
        1 => Just(Mode::Hang),
    ];
    let key = 0..KEYS;
    prop_oneof![
        2 => key.clone().prop_map(Step::Put),
        2 => key.clone().prop_map(Step::Create),
        1 => key.clone().prop_map(Step::TwoCreate),
        1 => key.clone().prop_map(Step::Update),
        1 => key.clone().prop_map(Step::Delete),
        4 => key.clone().prop_map(Step::Get),
        2 => key.clone().prop_map(Step::GetPart),
        1 => key.clone().prop_map(Step::GetParts),
        1 => Just(Step::List),
        3 => (key, 1..REGIONS).prop_map(|(key, region)| Step::Replicate(key, region)),
        4 => (0..REGIONS, mode).prop_map(|(region, mode)| Step::Become(region, mode)),
        1 => (0u64..40_000).prop_map(Step::Wait),
    ]
}

/// The store, the buckets behind it, and what has been tried.
struct World {
    /// Writes go home; otherwise anywhere.
    has_home: bool,
    buckets: Vec<Tagged>,
    regions: Vec<Arc<Scripted>>,
    store: FailoverStore,
    /// Every version of each key that anybody ever tried to write.
    versions: BTreeMap<u8, Vec<Vec<u8>>>,
    /// What home may hold: what was acknowledged last, and what was tried since without a word.
    possible: BTreeMap<u8, Vec<Option<Vec<u8>>>>,
    written: u32,
}

impl World {
    fn new(has_home: bool) -> Self {
        let buckets: Vec<_> = (0..REGIONS).map(|_| Tagged::default()).collect();
        let (regions, builder) = over(buckets.iter().map(|bucket| Arc::new(Scripted::over(bucket.clone()))).collect());
        let home = json!({"policy": "home", "home": "us-east-1"});
        let writes = settings(if has_home { home } else { json!({"policy": "any"}) });
        let retry = settings(json!({"base_delay": "10ms"}));
        let store = builder.writes(writes).retry(retry).build().unwrap();
        Self { has_home, buckets, regions, store, versions: BTreeMap::new(), possible: BTreeMap::new(), written: 0 }
    }

    async fn live(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Put(key) => self.write(key, PutMode::Overwrite).await,
            Step::Create(key) => self.write(key, PutMode::Create).await,
            Step::TwoCreate(key) => self.create_twice(key).await,
            Step::Update(key) => {
                let e_tag = self.buckets[0].tag(&path(key)).await;
                self.write(key, PutMode::Update(UpdateVersion { e_tag, version: None })).await
            }
            Step::Delete(key) => self.delete(key).await,
            Step::Get(key) => self.get(key, None).await,
            Step::GetPart(key) => self.get(key, Some(7..23)).await,
            Step::GetParts(key) => self.get_parts(key).await,
            Step::List => self.list().await,
            Step::Replicate(key, region) => self.replicate(key, region).await,
            Step::Become(region, mode) => {
                self.regions[region].set(mode);
                Ok(())
            }
            Step::Wait(time) => {
                tokio::time::advance(ms(time)).await;
                Ok(())
            }
        }
    }

    /// A version that no other has a byte in common with, at least 40 bytes long.
    fn version(&mut self, key: u8) -> Vec<u8> {
        self.written += 1;
        let version = format!("<{:05}>", self.written).repeat(6 + self.written as usize % 4).into_bytes();
        self.versions.entry(key).or_default().push(version.clone());
        version
    }

    async fn write(&mut self, key: u8, mode: PutMode) -> Result<(), TestCaseError> {
        let version = self.version(key);
        let before = self.buckets[0].content(&path(key)).await;
        let creates = matches!(mode, PutMode::Create);
        let options = PutOptions { mode, ..Default::default() };
        let put = self.store.put_opts(&path(key), version.clone().into(), options).await;
        prop_assert!(!(creates && put.is_ok() && (before.is_some() || !self.has_home)), "a second winner of {key}");
        if put.is_ok() {
            let landed = self.holders(key).await.into_iter().flatten().any(|held| held == version);
            prop_assert!(landed, "an acknowledged write of {key} is nowhere");
        }
        self.learn(key, Some(version), &put).await
    }

    async fn create_twice(&mut self, key: u8) -> Result<(), TestCaseError> {
        let (one, two) = (self.version(key), self.version(key));
        let before = self.buckets[0].content(&path(key)).await;
        let create = |version: Vec<u8>| {
            let store = self.store.clone();
            async move { store.put_opts(&path(key), version.into(), PutOptions { mode: PutMode::Create, ..Default::default() }).await }
        };
        let (first, second) = join(create(one.clone()), create(two.clone())).await;
        prop_assert!(!(first.is_ok() && second.is_ok()), "two winners of {key}");
        prop_assert!(before.is_none() || (first.is_err() && second.is_err()), "a second winner of {key}");
        // Whoever was acknowledged is there; whoever was not may be.
        let mut answers = [(one, first), (two, second)];
        answers.sort_by_key(|(_, answer)| answer.is_ok());
        for (version, answer) in &answers {
            self.note(key, Some(version.clone()), answer);
        }
        self.check_home(key).await
    }

    async fn delete(&mut self, key: u8) -> Result<(), TestCaseError> {
        let deleted =
            self.store.delete(&path(key)).await.map(|()| PutResult { e_tag: None, version: None, extensions: Default::default() });
        self.learn(key, None, &deleted).await
    }

    async fn learn(&mut self, key: u8, version: Option<Vec<u8>>, answer: &object_store::Result<PutResult>) -> Result<(), TestCaseError> {
        self.note(key, version, answer);
        self.check_home(key).await
    }

    /// What home may hold after a write; an error that says that nothing happened is taken at its word.
    fn note(&mut self, key: u8, version: Option<Vec<u8>>, answer: &object_store::Result<PutResult>) {
        let possible = self.possible.entry(key).or_insert_with(|| vec![None]);
        match answer {
            Ok(_) => *possible = vec![version],
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotSupported { .. }) => {}
            Err(_) => possible.push(version),
        }
    }

    async fn check_home(&self, key: u8) -> Result<(), TestCaseError> {
        if !self.has_home {
            return Ok(());
        }
        let holds = self.buckets[0].content(&path(key)).await;
        prop_assert!(self.possible[&key].contains(&holds), "home holds {:?}, which nobody wrote last", holds.map(String::from_utf8));
        Ok(())
    }

    async fn get(&mut self, key: u8, range: Option<std::ops::Range<u64>>) -> Result<(), TestCaseError> {
        let options = GetOptions { range: range.clone().map(GetRange::Bounded), ..Default::default() };
        let read = async {
            let result = self.store.get_opts(&path(key), options).await?;
            result.bytes().await
        };
        match read.await {
            Ok(body) => self.check_body(key, &body, range),
            Err(error) => self.check_absence(key, &error).await,
        }
    }

    async fn get_parts(&mut self, key: u8) -> Result<(), TestCaseError> {
        let Ok(parts) = self.store.get_ranges(&path(key), &[0..7, 30..37]).await else { return Ok(()) };
        let known = self.versions.get(&key).into_iter().flatten();
        let mut known = known.filter(|version| parts[0] == version[0..7] && parts[1] == version[30..37]);
        prop_assert!(known.next().is_some(), "torn: {parts:?}");
        Ok(())
    }

    fn check_body(&self, key: u8, body: &[u8], range: Option<std::ops::Range<u64>>) -> Result<(), TestCaseError> {
        let known = self.versions.get(&key).into_iter().flatten();
        let same = |version: &&Vec<u8>| match &range {
            Some(range) => body == &version[range.start as usize..range.end as usize],
            None => body == version.as_slice(),
        };
        prop_assert!(known.filter(same).count() == 1, "a body that nobody wrote: {:?}", String::from_utf8_lossy(body));
        Ok(())
    }

    async fn check_absence(&self, key: u8, error: &Error) -> Result<(), TestCaseError> {
        if !matches!(error, Error::NotFound { .. }) {
            return Ok(());
        }
        prop_assert!(FailoverError::find(error).is_none());
        let held = self.holders(key).await;
        prop_assert!(held[0].is_none(), "NotFound for {key}, which home holds");
        prop_assert!(self.has_home || held.iter().all(Option::is_none), "NotFound for {key}, which a region holds");
        Ok(())
    }

    /// What each bucket holds.
    async fn holders(&self, key: u8) -> Vec<Option<Vec<u8>>> {
        let mut held = Vec::new();
        for bucket in &self.buckets {
            held.push(bucket.content(&path(key)).await);
        }
        held
    }

    async fn list(&self) -> Result<(), TestCaseError> {
        let Ok(items) = self.store.list(None).try_collect::<Vec<_>>().await else { return Ok(()) };
        let mut names: Vec<_> = items.iter().map(|item| item.location.to_string()).collect();
        let all = names.len();
        names.dedup();
        prop_assert!(all == names.len() && names.is_sorted(), "{names:?}");
        Ok(())
    }

    async fn replicate(&self, key: u8, region: usize) -> Result<(), TestCaseError> {
        match self.buckets[0].content(&path(key)).await {
            Some(content) => drop(self.buckets[region].0.put(&path(key), content.into()).await),
            None => drop(self.buckets[region].0.delete(&path(key)).await),
        }
        Ok(())
    }
}

fn path(key: u8) -> Path {
    Path::from(format!("k{key}"))
}

fn live(has_home: bool, steps: &[Step]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(has_home);
        for step in steps {
            world.live(step).await?;
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn what_must_never_happen_does_not(steps in prop::collection::vec(step(), 1..40)) {
        live(true, &steps)?;
    }

    /// The same where writes go anywhere: then no region's 404 is final, and nobody may create.
    #[test]
    fn nor_does_it_where_writes_go_anywhere(steps in prop::collection::vec(step(), 1..20)) {
        live(false, &steps)?;
    }
}
