//! Write policies: read only, one home region, any region; and a write whose outcome is unknown.
//!
//! `cargo run --example writes` needs no network and no account.

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use object_store_failover::config::{OperationTimeouts, TimeoutConfig};
use object_store_failover::{FailoverError, FailoverStore, FailoverStoreBuilder};
use object_store_failover::{Operation, Region, WritePolicy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let virginia = Arc::new(ThrottledStore::new(
        InMemory::new(),
        ThrottleConfig::default(),
    ));
    let ireland = Arc::new(InMemory::new());
    // The default limit of a put is 30 s, and one second more for each MiB.
    let put = OperationTimeouts {
        attempt: Some(Duration::from_millis(100)),
        ..Default::default()
    };
    let timeouts = TimeoutConfig {
        operations: [(Operation::Put, put)].into(),
        ..Default::default()
    };
    let builder = FailoverStore::builder()
        .region(Region::new(
            "us-east-1",
            Arc::clone(&virginia) as Arc<dyn ObjectStore>,
        ))
        .region(Region::new("eu-west-1", ireland))
        .timeouts(timeouts);

    read_only(builder.clone()).await?;
    any(builder.clone()).await?;
    home(builder, &virginia).await
}

/// The default: writes are rejected before anything is sent.
async fn read_only(builder: FailoverStoreBuilder) -> Result<(), Box<dyn std::error::Error>> {
    let store = builder.build()?;
    if let Err(error) = store.put(&"a".into(), "value".into()).await {
        println!("read only: {error}");
    }
    Ok(())
}

/// Every region takes writes, for buckets that are replicated in both directions.
async fn any(builder: FailoverStoreBuilder) -> Result<(), Box<dyn std::error::Error>> {
    let store = builder.writes(WritePolicy::Any { home: None }).build()?;
    store.put(&"a".into(), "value".into()).await?;
    println!("any: put succeeded in the next region of the rotation");

    // Two regions could both create the object, so a conditional write needs a home.
    if let Err(error) = create(&store, &"lock".into()).await {
        println!("any: {error}");
    }
    Ok(())
}

/// One region takes all writes.
async fn home(
    builder: FailoverStoreBuilder,
    virginia: &ThrottledStore<InMemory>,
) -> Result<(), Box<dyn std::error::Error>> {
    let home = "us-east-1".to_owned();
    let store = builder.writes(WritePolicy::Home { home }).build()?;
    create(&store, &"lock".into()).await?;
    println!("home: created");
    match create(&store, &"lock".into()).await {
        Err(Error::AlreadyExists { .. }) => println!("home: the object exists already"),
        other => println!("home: unexpected {other:?}"),
    }

    virginia.config_mut(|config| config.wait_put_per_call = Duration::from_secs(3600));
    let path = Path::from("other-lock");
    let Err(error) = create(&store, &path).await else {
        return Ok(());
    };
    // The request may have arrived: a retry could fail with `AlreadyExists` because of this
    // program's own first attempt. Read the object to find out.
    if let Some(FailoverError::Indeterminate { region, .. }) = FailoverError::find(&error) {
        println!("home: outcome unknown in {region}: {error}");
        let exists = store.head(&path).await.is_ok();
        println!("home: after a look at the object: exists = {exists}");
    }
    Ok(())
}

async fn create(store: &FailoverStore, path: &Path) -> object_store::Result<()> {
    let options = PutOptions {
        mode: PutMode::Create,
        ..Default::default()
    };
    store.put_opts(path, "owner".into(), options).await?;
    Ok(())
}
