//! Builds the library with loom's locks and atomics, in this package only.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=failover_loom");
}
