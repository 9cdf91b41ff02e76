//! Azure Blob Storage.

use std::sync::Arc;
use std::time::Duration;

use object_store::azure::AzureConfigKey::{self, *};
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};

use super::{OptionKey, Options, client_options, no_retries};
use crate::config::region::RegionConfig;
use crate::settings::ConfigError;
use crate::transport::connections::Connections;
use crate::transport::connector::RecordingConnector;
use crate::transport::credentials::UnrecordedCredentials;

pub(in crate::config) fn build(
    region: &RegionConfig,
    at: &str,
    connect: Duration,
    connections: &Connections,
) -> Result<MicrosoftAzure, ConfigError> {
    let options = Options::of(region, at)?;
    if options.switches_on(UseEmulator) && std::env::var_os(EMULATOR).is_some() {
        let reason = format!(
            "{EMULATOR} would send every such region to one place; unset it, or name \
             azure_storage_endpoint instead"
        );
        return Err(ConfigError::invalid(
            format!("{at}.options.use_emulator"),
            reason,
        ));
    }
    let builder = MicrosoftAzureBuilder::new()
        .with_url(region.url.as_str())
        .with_http_connector(RecordingConnector::new(connections))
        .with_client_options(client_options(region, at, connect)?)
        .with_retry(no_retries());
    options.check(build_unrecorded(
        options.apply(builder, MicrosoftAzureBuilder::with_config),
    ))
}

/// As in `s3.rs`: requests for credentials are not recorded as requests of an attempt.
fn build_unrecorded(builder: MicrosoftAzureBuilder) -> object_store::Result<MicrosoftAzure> {
    let store = builder.clone().build()?;
    builder
        .with_credentials(Arc::new(UnrecordedCredentials(Arc::clone(
            store.credentials(),
        ))))
        .build()
}

impl OptionKey for AzureConfigKey {
    const STORE: &'static str = "an Azure store";
    /// Without endpoint, container and account name, which are locations.
    const CREDENTIALS: &'static [(&'static str, Self)] = &[
        ("AZURE_STORAGE_MASTER_KEY", AccessKey),
        ("AZURE_STORAGE_ACCESS_KEY", AccessKey),
        ("AZURE_STORAGE_ACCOUNT_KEY", AccessKey),
        ("AZURE_STORAGE_SAS_TOKEN", SasKey),
        ("AZURE_STORAGE_SAS_KEY", SasKey),
        ("AZURE_STORAGE_TOKEN", Token),
        ("AZURE_CLIENT_ID", ClientId),
        ("AZURE_STORAGE_CLIENT_ID", ClientId),
        ("AZURE_CLIENT_SECRET", ClientSecret),
        ("AZURE_STORAGE_CLIENT_SECRET", ClientSecret),
        ("AZURE_AUTHORITY_ID", AuthorityId),
        ("AZURE_TENANT_ID", AuthorityId),
        ("AZURE_STORAGE_AUTHORITY_ID", AuthorityId),
        ("AZURE_STORAGE_TENANT_ID", AuthorityId),
        ("AZURE_AUTHORITY_HOST", AuthorityHost),
        ("AZURE_STORAGE_AUTHORITY_HOST", AuthorityHost),
        ("AZURE_FEDERATED_TOKEN_FILE", FederatedTokenFile),
        ("IDENTITY_ENDPOINT", MsiEndpoint),
        ("AZURE_IDENTITY_ENDPOINT", MsiEndpoint),
        ("AZURE_MSI_ENDPOINT", MsiEndpoint),
        ("AZURE_OBJECT_ID", ObjectId),
        ("AZURE_MSI_RESOURCE_ID", MsiResourceId),
        ("AZURE_USE_AZURE_CLI", UseAzureCli),
        ("AZURE_CREDENTIAL_TYPE", CredentialType),
        ("AZURE_FABRIC_TOKEN_SERVICE_URL", FabricTokenServiceUrl),
        ("AZURE_FABRIC_WORKLOAD_HOST", FabricWorkloadHost),
        ("AZURE_FABRIC_SESSION_TOKEN", FabricSessionToken),
        ("AZURE_FABRIC_CLUSTER_IDENTIFIER", FabricClusterIdentifier),
    ];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[SkipSignature, UseEmulator];
}

/// Moves object_store's emulator to another address.
const EMULATOR: &str = "AZURITE_BLOB_STORAGE_URL";
