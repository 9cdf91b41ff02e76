//! The scenarios. The last phase of each has all regions restored, and is long enough for circuits
//! that opened twice and for the ramp.

use super::{Action, NetworkFault, Phase, Scenario, Step, StoreFeatures, Target};

const FIRST: Target = Target::Region(0);

const fn step(at: f64, action: Action, target: Target) -> Step {
    Step { at, action, target }
}

const fn phase(name: &'static str, parts: u32, steps: &'static [Step]) -> Phase {
    Phase { name, parts, steps }
}

const HEALTHY: Phase = phase("healthy", 4, &[]);
const BACK: Phase = phase("back", 14, &[step(0.0, Action::Restore, Target::All)]);
/// The first region returns earlier and serves all reads until the others return.
const ONE_BACK_THEN_ALL: &[Step] = &[
    step(0.0, Action::Restore, FIRST),
    step(0.15, Action::Restore, Target::All),
];
/// The region gets no more requests once its circuit is open.
const EXCLUDED: &str = "failed=0,wrong=0,hung=0,rto<2s,late=0,extra_load<1.3,open=0,imbalance<0.35";
/// Without a refusal only the limits end the wait.
const EXCLUDED_IN_TIME: &str =
    "failed=0,wrong=0,hung=0,rto<2s,late=0,extra_load<1.3,too_slow=0,open=0,imbalance<0.35";
/// One region rejects requests that the others accept.
const DRIFTED: &str = "failed=0,wrong=0,hung=0,rto<2s,detect<2s,open=0,imbalance<0.35";

macro_rules! network_fault {
    (
        $name:literal, $fault:ident, $phase:literal, $does:literal, $expects:literal,
        $expect:expr, $features:ident
    ) => {
        Scenario {
            name: $name,
            does: $does,
            expects: $expects,
            phases: &[
                HEALTHY,
                phase(
                    $phase,
                    8,
                    &[step(0.0, Action::Network(NetworkFault::$fault), FIRST)],
                ),
                BACK,
            ],
            expect: $expect,
            store: StoreFeatures::$features,
        }
    };
}

/// Every scenario, in the order of `--scenario all`, which omits `full`.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "full",
        does: "one region is killed, then one hangs, then all are killed briefly",
        expects: "no failed read while a region serves; reads within 2 s of the first recovery",
        phases: &[
            HEALTHY,
            // Restored before the next fault: with two regions, one that has not been tried again
            // yet cannot serve.
            phase(
                "one killed",
                6,
                &[
                    step(0.0, Action::Kill, FIRST),
                    step(0.6, Action::Restore, FIRST),
                ],
            ),
            // Another region than the killed one, whose circuit may still be open: the hang must
            // start with a closed circuit.
            phase(
                "one hanging",
                6,
                &[step(0.0, Action::Hang, Target::Region(1))],
            ),
            phase("back", 10, &[step(0.0, Action::Restore, Target::All)]),
            phase("all killed", 2, &[step(0.0, Action::Kill, Target::All)]),
            phase("back again", 12, ONE_BACK_THEN_ALL),
        ],
        expect: "failed=0,wrong=0,hung=0,dishonest=0,worst_error<2s,late=0,rto<2s,open=0,\
                imbalance<0.3",
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "kill",
        does: "SIGKILL to one region: its socket and connections are closed",
        expects: "no failed read; the circuit opens after threshold + in-flight requests",
        phases: &[
            HEALTHY,
            phase("one killed", 8, &[step(0.0, Action::Kill, FIRST)]),
            BACK,
        ],
        expect: EXCLUDED,
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "hang",
        does: "SIGSTOP to one region: it accepts connections and does not respond",
        expects: "no failed read; a read waits for at most one attempt limit",
        phases: &[
            HEALTHY,
            phase("one hanging", 8, &[step(0.0, Action::Hang, FIRST)]),
            BACK,
        ],
        expect: EXCLUDED_IN_TIME,
        store: StoreFeatures::NONE,
    },
    network_fault!(
        "refuse",
        Refuse,
        "one refuses",
        "one region refuses connections, and open ones are reset",
        "no failed read; refused reads fail over at once",
        EXCLUDED,
        NONE
    ),
    network_fault!(
        "blackhole",
        Blackhole,
        "packets dropped",
        "packets to one region are dropped, also those of new connections",
        "no failed read; silence or the attempt limit ends the wait",
        EXCLUDED_IN_TIME,
        NONE
    ),
    network_fault!(
        "swallow",
        Swallow,
        "requests lost",
        "the network accepts requests to one region and returns nothing",
        "no failed read; silence or the attempt limit ends the wait",
        EXCLUDED_IN_TIME,
        NONE
    ),
    network_fault!(
        "slow",
        Slow,
        "one is slow",
        "responses of one region take 20 times as long",
        "with hedging: no failed read, and a p99 close to the healthy one",
        // No `imbalance`: the region stays last in the order until its slow responses expire, which
        // takes longer than a drill.
        "failed=0,wrong=0,hung=0,p99_ratio<4,open=0",
        HEDGING
    ),
    network_fault!(
        "trickle",
        Trickle,
        "bodies slow",
        "bodies of one region arrive at 32 KiB/s",
        "no failed read; such bodies are slow, because a body that progresses is not moved",
        "failed=0,wrong=0,hung=0,open=0",
        HEDGING
    ),
    network_fault!(
        "reset-mid-body",
        Reset,
        "bodies reset",
        "one region's bodies are reset after 64 KiB",
        "no failed read: bodies resume in another region at the exact byte",
        "failed=0,wrong=0,hung=0,rto<2s,refetched<0.5,open=0,imbalance<0.35",
        NONE
    ),
    network_fault!(
        "stall-mid-body",
        Stall,
        "bodies stall",
        "one region's bodies stop after 64 KiB, their connections stay open",
        "no failed read: bodies resume in another region after the stall limit",
        "failed=0,wrong=0,hung=0,rto<2s,too_slow=0,refetched<0.5,open=0,imbalance<0.35",
        NONE
    ),
    network_fault!(
        "truncate",
        Truncate,
        "bodies truncated",
        "one region's bodies end after 64 KiB, without an error",
        "no wrong bytes: a partial body is never returned as complete",
        "failed=0,wrong=0,hung=0,rto<2s,refetched<0.5,open=0,imbalance<0.35",
        NONE
    ),
    network_fault!(
        "throttle",
        Throttle,
        "one throttles",
        "one region responds to every request with 503 SlowDown",
        "no failed read, and no region gets more requests than its share",
        "failed=0,wrong=0,hung=0,rto<2s,extra_load<1.3,open=0,imbalance<0.35",
        NONE
    ),
    network_fault!(
        "unavailable",
        Unavailable,
        "one unavailable",
        "one region responds with 503 XMinioServerNotInitialized and Retry-After",
        "no failed read; its circuit opens",
        EXCLUDED,
        NONE
    ),
    Scenario {
        name: "starting",
        does: "one region is killed, starts without being ready (MinIO: one node of four), and \
                becomes ready",
        expects: "no failed read; the region is used again once it serves",
        phases: &[
            HEALTHY,
            phase(
                "killed, starting",
                8,
                &[
                    step(0.0, Action::Kill, FIRST),
                    step(0.3, Action::StartUnready, FIRST),
                ],
            ),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,late=0,open=0",
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "quorum-loss",
        does: "two, then three of a region's four nodes are killed: reads hang, while listings and \
                liveness return 200",
        expects: "no failed read: with two lost the region serves, with three its circuit opens",
        phases: &[
            HEALTHY,
            phase(
                "2 of 4 killed",
                4,
                &[step(0.0, Action::KillNodes(2), FIRST)],
            ),
            phase(
                "3 of 4 killed",
                6,
                &[step(0.0, Action::KillNodes(3), FIRST)],
            ),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,late=0,too_slow=0,undecided>0,open=0",
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "auth-drift",
        does: "one region's key is disabled",
        expects: "no failed read: a rejection that other regions do not share opens the circuit",
        phases: &[
            HEALTHY,
            phase("key disabled", 8, &[step(0.0, Action::DisableKey, FIRST)]),
            BACK,
        ],
        expect: DRIFTED,
        store: StoreFeatures::NONE,
    },
    network_fault!(
        "wrong-bucket",
        NoSuchBucket,
        "no such bucket",
        "one region responds with 404 NoSuchBucket",
        "no failed read and no wrong NotFound: a missing bucket is not a missing key",
        "failed=0,wrong=0,hung=0,rto<2s,detect<2s,lagging=0,open=0,imbalance<0.35",
        NONE
    ),
    network_fault!(
        "clock-skew",
        Skewed,
        "clock differs",
        "one region responds with 403 RequestTimeTooSkewed",
        "no failed read",
        DRIFTED,
        NONE
    ),
    Scenario {
        name: "replication-lag",
        does: "replication stops; keys are written and overwritten in the first region, and read \
                everywhere",
        expects: "new keys are found where they are; no older version of keys under home_prefixes",
        phases: &[
            HEALTHY,
            phase(
                "not replicated",
                8,
                &[
                    step(0.0, Action::PauseReplication, FIRST),
                    step(0.05, Action::Write, FIRST),
                    step(0.1, Action::Overwrite, FIRST),
                ],
            ),
            phase(
                "replicated again",
                8,
                &[step(0.0, Action::ResumeReplication, FIRST)],
            ),
        ],
        expect: "failed=0,wrong=0,stale=0,hung=0,lagging>0,open=0",
        store: StoreFeatures::HOME,
    },
    Scenario {
        name: "delete-marker",
        does: "replication stops; keys are deleted in the first region (a marker) only",
        expects: "deleted keys under home_prefixes stay deleted; a marker of home ends the search",
        phases: &[
            HEALTHY,
            phase(
                "not replicated",
                8,
                &[
                    step(0.0, Action::PauseReplication, FIRST),
                    step(0.05, Action::Delete, FIRST),
                ],
            ),
            phase(
                "replicated again",
                8,
                &[step(0.0, Action::ResumeReplication, FIRST)],
            ),
        ],
        expect: "failed=0,wrong=0,stale=0,hung=0,deleted>0,open=0",
        store: StoreFeatures::HOME,
    },
    Scenario {
        name: "flap",
        does: "one region fails and recovers repeatedly",
        expects: "no failed read at a transition",
        phases: &[
            HEALTHY,
            phase(
                "flapping",
                12,
                &[
                    step(0.0, Action::Kill, FIRST),
                    step(0.167, Action::Restore, FIRST),
                    step(0.333, Action::Kill, FIRST),
                    step(0.5, Action::Restore, FIRST),
                    step(0.667, Action::Kill, FIRST),
                    step(0.833, Action::Restore, FIRST),
                ],
            ),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,open=0",
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "rolling-restart",
        does: "every region is killed and restarted, one after the other",
        expects: "no failed read",
        phases: &[
            HEALTHY,
            phase(
                "one by one",
                14,
                &[
                    step(0.0, Action::Kill, Target::EachInTurn),
                    step(0.4, Action::Restore, Target::EachInTurn),
                ],
            ),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,open=0,imbalance<0.35",
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "all-down-and-back",
        does: "all regions are killed briefly, and return one after the other",
        expects: "immediate errors that name every region; reads within 2 s of the first recovery",
        phases: &[
            HEALTHY,
            phase("all killed", 4, &[step(0.0, Action::Kill, Target::All)]),
            phase("back", 18, ONE_BACK_THEN_ALL),
        ],
        expect: "failed=0,wrong=0,hung=0,dishonest=0,worst_error<2s,rto<2s,open=0,imbalance<0.35",
        store: StoreFeatures::NONE,
    },
    Scenario {
        name: "recovery-under-load",
        does: "one region is killed and returns slow, as with cold caches, under load",
        expects: "no failed read; the region has its whole share at the end",
        phases: &[
            HEALTHY,
            phase("one killed", 6, &[step(0.0, Action::Kill, FIRST)]),
            phase(
                "back, slow",
                6,
                &[
                    step(0.0, Action::Restore, FIRST),
                    step(0.01, Action::Network(NetworkFault::Slow), FIRST),
                ],
            ),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,open=0,imbalance<0.35",
        store: StoreFeatures::NONE,
    },
];
