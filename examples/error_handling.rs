//! What the errors of a store mean, and what a caller does about each.
//!
//! `cargo run --example error_handling` needs no network and no account.

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::config::{RetryConfig, TimeoutConfig};
use object_store_failover::error::AttemptOutcome;
use object_store_failover::{CallOptions, FailoverError, FailoverStore, Failure, Region};

type Slow = Arc<ThrottledStore<InMemory>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bucket = InMemory::new();
    bucket.put(&"greeting".into(), "hello".into()).await?;
    let region = || {
        Arc::new(ThrottledStore::new(
            bucket.clone(),
            ThrottleConfig::default(),
        ))
    };
    let (virginia, ireland): (Slow, Slow) = (region(), region());
    let store = build(&virginia, &ireland)?;

    // Every region responded that the object does not exist.
    report("missing key", store.get(&"missing".into()).await);

    // The same, but one region does not respond: it may hold the object. Never `NotFound`.
    hang(&virginia);
    report(
        "missing key in an outage",
        store.get(&"missing".into()).await,
    );

    // The time of this call is over before any region responds.
    hang(&ireland);
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions {
        deadline: Some(Duration::from_millis(50)),
        ..Default::default()
    });
    report(
        "deadline",
        store.get_opts(&"greeting".into(), options).await,
    );

    report("outage of all regions", store.get(&"greeting".into()).await);
    Ok(())
}

/// The cases that a caller treats differently. All other errors are those of one bucket.
fn report<T>(call: &str, result: Result<T, Error>) {
    let Err(error) = result else {
        println!("{call}: served");
        return;
    };
    println!("\n{call}: {error}");
    let advice = match (&error, FailoverError::find(&error)) {
        (Error::NotFound { .. }, _) => "certain: respond with 404",
        (_, Some(FailoverError::Undecided { .. })) => "may exist: respond with 503, not 404",
        (_, Some(FailoverError::DeadlineExceeded { .. })) => "respond with 504",
        (_, Some(FailoverError::AllRegionsFailed { .. })) => "respond with 503",
        (_, Some(FailoverError::CircuitsOpen { retry_after, .. })) => {
            println!("  retry in {retry_after:?}");
            "respond with 503 and `Retry-After`"
        }
        (_, Some(FailoverError::Indeterminate { .. })) => "read the object before a retry",
        _ => "respond with 500",
    };
    println!("  {advice}");
    print_attempts(&error);
    // Works for errors of any object store, also without this crate's.
    let failure = Failure::of(&error);
    println!(
        "  class {}, transient {}",
        failure.class(),
        failure.is_transient()
    );
}

/// What each region did, in order.
fn print_attempts(error: &Error) {
    let Some(FailoverError::AllRegionsFailed { attempts, .. }) = FailoverError::find(error) else {
        return;
    };
    for attempt in attempts.iter() {
        let outcome = match &attempt.outcome {
            AttemptOutcome::Failed(failure) => {
                format!("{} ({:?})", failure.class(), failure.sent())
            }
            AttemptOutcome::Skipped(reason) => format!("skipped, {reason}"),
            other => format!("{other:?}"),
        };
        println!(
            "  {} after {:?}: {outcome}",
            attempt.region, attempt.elapsed
        );
    }
}

fn hang(region: &Slow) {
    region.config_mut(|config| config.wait_get_per_call = Duration::from_secs(3600));
}

fn build(virginia: &Slow, ireland: &Slow) -> Result<FailoverStore, Box<dyn std::error::Error>> {
    let region = |name, store: &Slow| Region::new(name, Arc::clone(store) as Arc<dyn ObjectStore>);
    let store = FailoverStore::builder()
        .region(region("us-east-1", virginia))
        .region(region("eu-west-1", ireland))
        .timeouts(TimeoutConfig {
            attempt: Some(Duration::from_millis(100)),
            ..Default::default()
        })
        // Fewer rounds, so that the example ends within a second.
        .retry(RetryConfig {
            enabled: false,
            ..Default::default()
        })
        .build()?;
    Ok(store)
}
