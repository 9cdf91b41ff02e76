//! Gives the library loom's locks and atomics; this package alone.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cfg=failover_loom");
}
