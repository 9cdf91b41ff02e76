//! Tests only, in a package of their own because parquet and SlateDB take minutes to compile:
//! `cargo test -p failover-consumers`.
