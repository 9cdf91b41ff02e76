//! The steps of a random run.

use failover_testkit::{Fault, Mode};
use proptest::prelude::*;

pub(super) const REGIONS: usize = 3;
const KEYS: u8 = 3;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Put(u8),
    Create(u8),
    CreateConcurrently(u8),
    Update(u8),
    Delete(u8),
    Get(u8),
    GetRange(u8),
    GetRanges(u8),
    List,
    /// Copies a key from home to another region, or deletes it there if home has none.
    Replicate(u8, usize),
    /// What a region does from now on.
    SetMode(usize, Mode),
    /// Milliseconds.
    Wait(u64),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![
        4 => Just(Mode::Serve),
        1 => Just(Mode::Fail(Fault::Connect)),
        1 => Just(Mode::Fail(Fault::Reset)),
        1 => Just(Mode::Fail(Fault::Status(503, "SlowDown"))),
        1 => Just(Mode::Fail(Fault::Status(403, "AccessDenied"))),
        2 => Just(Mode::ApplyThenFail(Fault::Reset)),
        1 => Just(Mode::ApplyThenFail(Fault::Status(500, "InternalError"))),
        2 => (0u64..60).prop_map(Mode::BreakAfter),
        1 => (0u64..60).prop_map(Mode::StallAfter),
        1 => (0u64..60).prop_map(Mode::CutAfter),
        1 => Just(Mode::Overlong),
        1 => Just(Mode::Hang),
    ];
    let key = 0..KEYS;
    prop_oneof![
        2 => key.clone().prop_map(Step::Put),
        2 => key.clone().prop_map(Step::Create),
        1 => key.clone().prop_map(Step::CreateConcurrently),
        1 => key.clone().prop_map(Step::Update),
        1 => key.clone().prop_map(Step::Delete),
        4 => key.clone().prop_map(Step::Get),
        2 => key.clone().prop_map(Step::GetRange),
        1 => key.clone().prop_map(Step::GetRanges),
        1 => Just(Step::List),
        3 => (key, 1..REGIONS).prop_map(|(key, region)| Step::Replicate(key, region)),
        4 => (0..REGIONS, mode).prop_map(|(region, mode)| Step::SetMode(region, mode)),
        1 => (0u64..40_000).prop_map(Step::Wait),
    ]
}
