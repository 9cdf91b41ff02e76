//! What cannot be played on is refused with one line, and exit code 2.

use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::program::{Regions, Said};

fn refused(said: &Said, with: &str) {
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    let lines: Vec<_> = said.err.lines().collect();
    assert!(lines.len() == 1 && lines[0].starts_with("error: ") && lines[0].contains(with), "{with}: {lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_cannot_be_meant() {
    let regions = Regions::empty("documents", 2).await;
    let document = regions.document();
    for (text, with) in [
        ("regions = [".to_owned(), ", line 1: "),
        (document.replace("allow_http", "alow_http"), "regions[0].options.alow_http: is no option of an S3 store"),
        (document.replacen("flavor", "flavour", 1), "unknown field `flavour`"),
        (document[..document.rfind("[[regions]]").unwrap()].to_owned(), "nowhere to fail over to"),
    ] {
        regions.write(&text);
        refused(&regions.drill(&["--scenario", "kill"]).await, with);
        refused(&regions.drill(&["--scenario", "preflight"]).await, with);
    }
    std::fs::remove_file(std::env::temp_dir().join(format!("object_store_failover-drill-documents-{}.toml", std::process::id()))).unwrap();
    refused(&regions.drill(&[]).await, "documents");
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_that_are_down_empty_or_agree_on_nothing() {
    let regions = Regions::empty("nothing", 2).await;
    refused(&regions.drill(&["--scenario", "kill"]).await, "no region lists any object: they are empty; put some there");
    regions.buckets[0].put(&Path::from("a"), "one".into()).await.unwrap();
    regions.buckets[1].put(&Path::from("a"), "other".into()).await.unwrap();
    refused(&regions.drill(&["--scenario", "kill"]).await, "nothing to read (a: paris holds other bytes than berlin)");
    regions.servers[1].kill();
    refused(&regions.drill(&["--scenario", "kill"]).await, "paris cannot be read before anything is broken");
    regions.servers[0].kill();
    refused(&regions.drill(&["--scenario", "kill"]).await, "no region lists any object: paris: ");
    assert_eq!(regions.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_that_is_taken_is_not_seeded() {
    let regions = Regions::empty("taken", 2).await;
    regions.buckets[1].put(&Path::from("object-store-failover-drill/5/000"), "somebody's".into()).await.unwrap();
    refused(&regions.drill(&["--seed-bucket", "--seed", "5"]).await, "paris has object-store-failover-drill/5/000 already");
    assert_eq!(regions.writes(), 0);
}
