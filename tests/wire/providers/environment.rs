//! Credentials from the environment.

use failover_testkit::key;
use failover_testkit::provider::{Kind, Provider};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

use super::{config, provider, region, rejection, with_options};

const IN_CHILD: &str = "providers::environment::environment_supplies_credentials_only";

/// Runs in a child process, because the environment is shared by all tests of a process.
#[tokio::test]
async fn environment_supplies_credentials_only() {
    if let (Ok(google), Ok(azure)) = (
        std::env::var("OSF_TEST_GOOGLE"),
        std::env::var("OSF_TEST_AZURE"),
    ) {
        return read_with_environment_credentials(&google, &azure).await;
    }
    let google = Provider::start(Kind::Google, "authorization: Bearer right").await;
    let azure = provider(Kind::Azure).await;
    let account = json!({
        "private_key": "",
        "private_key_id": "",
        "client_email": "",
        "disable_oauth": true,
        "gcs_base_url": google.endpoint(),
    });
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", IN_CHILD, "--nocapture"])
        .env("OSF_TEST_GOOGLE", google.endpoint())
        .env("OSF_TEST_AZURE", azure.endpoint())
        .env("GOOGLE_SERVICE_ACCOUNT_KEY", account.to_string())
        .env("GOOGLE_BEARER_TOKEN", "right")
        .env("AZURE_STORAGE_ACCOUNT_KEY", "cmlnaHQ=")
        .env("AZURE_STORAGE_SAS_TOKEN", "")
        // Locations from the environment must be ignored: with these no region would be found.
        .env("GOOGLE_BASE_URL", "http://127.0.0.1:9")
        .env("GOOGLE_BUCKET", "nothing")
        .env("AZURE_ENDPOINT", "http://127.0.0.1:9")
        .env("AZURE_STORAGE_ACCOUNT_NAME", "unknown")
        .env("AZURE_CONTAINER_NAME", "nothing")
        .env("AZURITE_BLOB_STORAGE_URL", "http://127.0.0.1:9");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let served = google.heads();
    assert_eq!(
        (served.len(), azure.heads().len()),
        (3, 2),
        "{text} {served:?}"
    );
    assert!(
        served[2].starts_with("CONNECT storage.googleapis.com:443"),
        "{served:?}"
    );
}

async fn read_with_environment_credentials(google: &str, azure: &str) {
    let bare = |kind: Kind, endpoint: &str| {
        let mut region = region("a", kind, endpoint);
        region["options"]
            .as_object_mut()
            .unwrap()
            .retain(|key, _| !["google_bearer_token", "account_key"].contains(&key.as_str()));
        region
    };
    let head = async |region: Value| config(vec![region]).build().unwrap().head(&key()).await;
    head(bare(Kind::Google, google)).await.unwrap();
    head(bare(Kind::Azure, azure)).await.unwrap();
    // A region's own credentials are not mixed with those of the environment.
    head(with_options(
        bare(Kind::Google, google),
        json!({"bearer_token": "wrong"}),
    ))
    .await
    .unwrap_err();
    head(with_options(
        bare(Kind::Azure, azure),
        json!({"sas_token": "sig=wrong"}),
    ))
    .await
    .unwrap_err();
    // A service account of the environment does not set the endpoint: the request goes to Google,
    // here through a proxy.
    let without_endpoint = json!({
        "name": "a",
        "url": "gs://bucket",
        "options": {"proxy_url": google, "allow_http": true},
    });
    head(without_endpoint).await.unwrap_err();
    let mut nameless = bare(Kind::Azure, azure);
    nameless["options"]
        .as_object_mut()
        .unwrap()
        .remove("account_name");
    assert!(rejection(nameless).contains("Account must be specified"));
    let error =
        rejection(json!({"name": "a", "url": "az://bucket", "options": {"use_emulator": true}}));
    assert!(
        error.starts_with("regions[0].options.use_emulator: AZURITE_BLOB_STORAGE_URL"),
        "{error}"
    );
}
