//! Invalid configurations and unusable regions: one line on stderr, exit code 2.

use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::program::{Output, Regions};

fn assert_error(output: &Output, with: &str) {
    assert_eq!(output.code, Some(2), "{}{}", output.out, output.err);
    let lines: Vec<_> = output.err.lines().collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with("error: ") && lines[0].contains(with),
        "{with}: {lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_documents_are_rejected() {
    let regions = Regions::empty("documents", 2).await;
    let document = regions.document();
    for (text, with) in [
        ("regions = [".to_owned(), ", line 1: "),
        (
            document.replace("allow_http", "alow_http"),
            "regions[0].options.alow_http: is no option of an S3 store",
        ),
        (
            document.replacen("flavor", "flavour", 1),
            "unknown field `flavour`",
        ),
        (
            document[..document.rfind("[[regions]]").unwrap()].to_owned(),
            "failover needs two regions",
        ),
    ] {
        regions.write(&text);
        assert_error(&regions.drill(&["--scenario", "kill"]).await, with);
        assert_error(&regions.drill(&["--scenario", "preflight"]).await, with);
    }
    std::fs::remove_file(std::env::temp_dir().join(format!(
        "object_store_failover-drill-documents-{}.toml",
        std::process::id()
    )))
    .unwrap();
    assert_error(&regions.drill(&[]).await, "documents");
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_regions_are_rejected() {
    let regions = Regions::empty("nothing", 2).await;
    assert_error(
        &regions.drill(&["--scenario", "kill"]).await,
        "no region lists any object: they are empty; write objects",
    );
    regions.buckets[0]
        .put(&Path::from("a"), "one".into())
        .await
        .unwrap();
    regions.buckets[1]
        .put(&Path::from("a"), "other".into())
        .await
        .unwrap();
    assert_error(
        &regions.drill(&["--scenario", "kill"]).await,
        "nothing to read (a: paris has other content than berlin)",
    );
    regions.servers[1].kill();
    assert_error(
        &regions.drill(&["--scenario", "kill"]).await,
        "paris cannot be read before the first fault",
    );
    regions.servers[0].kill();
    assert_error(
        &regions.drill(&["--scenario", "kill"]).await,
        "no region lists any object: paris: ",
    );
    assert_eq!(regions.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_rejects_a_prefix_in_use() {
    let regions = Regions::empty("taken", 2).await;
    regions.buckets[1]
        .put(
            &Path::from("object-store-failover-drill/5/000"),
            "existing".into(),
        )
        .await
        .unwrap();
    assert_error(
        &regions.drill(&["--seed-bucket", "--seed", "5"]).await,
        "paris already has object-store-failover-drill/5/000",
    );
    assert_eq!(regions.writes(), 0);
}
