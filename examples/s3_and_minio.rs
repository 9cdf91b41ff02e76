//! Two AWS regions and one MinIO cluster from a TOML document.
//!
//! `cargo run --example s3_and_minio` builds the store and prints its health. It sends no request,
//! and needs no network and no account.

use object_store_failover::FailoverConfig;
use object_store_failover::config::OptionValue;

/// Usually a file. `docs/configuration.md` lists all keys.
const DOCUMENT: &str = r#"
name = "assets"

[[regions]]
name = "us-east-1"
url = "s3://assets-us-east-1/v1"
flavor = "aws"
weight = 3
[regions.options]
region = "us-east-1"
access_key_id = { env = "AWS_ACCESS_KEY_ID" }
secret_access_key = { env = "AWS_SECRET_ACCESS_KEY" }

[[regions]]
name = "eu-west-1"
url = "s3://assets-eu-west-1/v1"
flavor = "aws"
weight = 3
[regions.options]
region = "eu-west-1"
access_key_id = { env = "AWS_ACCESS_KEY_ID" }
secret_access_key = { env = "AWS_SECRET_ACCESS_KEY" }

[[regions]]
name = "berlin"
url = "s3://assets/v1"
flavor = "minio"
weight = 1                        # one of seven first attempts
[regions.options]
endpoint = "https://minio.berlin.example:9000"
region = "us-east-1"
access_key_id = { env = "MINIO_ACCESS_KEY" }
secret_access_key = { env = "MINIO_SECRET_KEY" }
[regions.timeouts]
attempt = "3s"

[writes]
policy = "home"
home = "us-east-1"
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = FailoverConfig::from_toml(DOCUMENT)?;
    for region in &mut config.regions {
        region.options.values_mut().for_each(use_placeholder);
    }

    // Reads the variables, checks every setting, and opens no connection.
    let store = config.build()?;

    let health = store.health();
    println!("store {}: {:?}", health.store, health.status);
    for region in &health.regions {
        let home = if region.home { ", home" } else { "" };
        println!(
            "{}: circuit {}, {:.0} % of first attempts{home}",
            region.name,
            region.read.state,
            region.share * 100.0
        );
    }
    Ok(())
}

/// Only for this example: a program should let `build` report a variable that is not set.
fn use_placeholder(value: &mut OptionValue) {
    if let OptionValue::Env(variable) = value
        && std::env::var_os(&variable.env).is_none()
    {
        println!("{} is not set: placeholder", variable.env);
        *value = OptionValue::Text("placeholder".into());
    }
}
