//! Random sequences of operations, checked against the contents of the buckets.
//!
//! Three regions with a bucket each. Replication lags, fails and is omitted; regions fail before a
//! write is applied, after it, and in the middle of a body. In every run:
//!
//! - an acknowledged write is at home, unless a later one has replaced it;
//! - of two concurrent creates of one key at most one succeeds;
//! - no body is returned that no single version ever had;
//! - no key is `NotFound` that a reachable region holds and home has not deleted.
//!
//! `PROPTEST_CASES=n` runs more cases; a failing run is shrunk to the shortest that fails.

mod reads;
mod steps;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;

use failover_testkit::{ContentEtags, Scripted, build_over, ms, settings};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, UpdateVersion};
use object_store_failover::FailoverStore;
use proptest::prelude::*;
use serde_json::json;

use self::steps::{REGIONS, Step, step};

/// The store, its buckets, and every write so far.
struct Model {
    /// Writes go to home; otherwise to any region.
    has_home: bool,
    buckets: Vec<ContentEtags>,
    regions: Vec<Arc<Scripted>>,
    store: FailoverStore,
    /// Every version of each key that a write ever carried.
    versions: BTreeMap<u8, Vec<Vec<u8>>>,
    /// What home may hold: the last acknowledged version, and those of later writes with an
    /// unknown outcome.
    possible: BTreeMap<u8, Vec<Option<Vec<u8>>>>,
    /// How many versions there are of all keys.
    written: u32,
}

impl Model {
    fn new(has_home: bool) -> Self {
        let buckets: Vec<_> = (0..REGIONS).map(|_| ContentEtags::default()).collect();
        let regions = buckets
            .iter()
            .map(|bucket| Arc::new(Scripted::over(bucket.clone())));
        let (regions, builder) = build_over(regions.collect());
        let writes = settings(match has_home {
            true => json!({"policy": "home", "home": "us-east-1"}),
            false => json!({"policy": "any"}),
        });
        let retry = settings(json!({"base_delay": "10ms"}));
        let store = builder.writes(writes).retry(retry).build().unwrap();
        Self {
            has_home,
            buckets,
            regions,
            store,
            versions: BTreeMap::new(),
            possible: BTreeMap::new(),
            written: 0,
        }
    }

    async fn apply(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Put(key) => self.write(key, PutMode::Overwrite).await,
            Step::Create(key) => self.write(key, PutMode::Create).await,
            Step::CreateConcurrently(key) => self.create_concurrently(key).await,
            Step::Update(key) => {
                let e_tag = self.buckets[0].e_tag(&path(key)).await;
                let version = UpdateVersion {
                    e_tag,
                    version: None,
                };
                self.write(key, PutMode::Update(version)).await
            }
            Step::Delete(key) => self.delete(key).await,
            Step::Get(key) => self.get(key, None).await,
            Step::GetRange(key) => self.get(key, Some(7..23)).await,
            Step::GetRanges(key) => self.get_ranges(key).await,
            Step::List => self.list().await,
            Step::Replicate(key, region) => self.replicate(key, region).await,
            Step::SetMode(region, mode) => {
                self.regions[region].set(mode);
                Ok(())
            }
            Step::Wait(time) => {
                tokio::time::advance(ms(time)).await;
                Ok(())
            }
        }
    }

    async fn replicate(&self, key: u8, region: usize) -> Result<(), TestCaseError> {
        match self.buckets[0].content(&path(key)).await {
            Some(content) => drop(self.buckets[region].0.put(&path(key), content.into()).await),
            None => drop(self.buckets[region].0.delete(&path(key)).await),
        }
        Ok(())
    }

    /// The content of the key in each bucket.
    async fn contents(&self, key: u8) -> Vec<Option<Vec<u8>>> {
        let mut contents = Vec::new();
        for bucket in &self.buckets {
            contents.push(bucket.content(&path(key)).await);
        }
        contents
    }
}

fn path(key: u8) -> Path {
    Path::from(format!("k{key}"))
}

fn run(has_home: bool, steps: &[Step]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut model = Model::new(has_home);
        for step in steps {
            model.apply(step).await?;
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(10_000)
    })]

    #[test]
    fn writes_to_home_keep_invariants(steps in prop::collection::vec(step(), 1..40)) {
        run(true, &steps)?;
    }

    /// Without a home no region's 404 is final, and every create is rejected.
    #[test]
    fn writes_to_any_region_keep_invariants(steps in prop::collection::vec(step(), 1..20)) {
        run(false, &steps)?;
    }
}
