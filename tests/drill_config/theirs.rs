//! The drill's own modules, beside each other as they lie there.

#[path = "../../examples/drill/ground/theirs/connector.rs"]
pub mod connector;
#[path = "../../examples/drill/ground/theirs/endpoint.rs"]
pub mod endpoint;
#[path = "../../examples/drill/ground/theirs/flow.rs"]
mod flow;
