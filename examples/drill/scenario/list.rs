//! The scenarios themselves. The last phase of each has everything back and is long enough for circuits that have opened twice, and for
//! the ramp.

use super::{Act, Phase, Scenario, Spoil, Step, Wants, Whom};

const FIRST: Whom = Whom::Region(0);

const fn step(at: f64, act: Act, whom: Whom) -> Step {
    Step { at, act, whom }
}

const fn phase(name: &'static str, parts: u32, steps: &'static [Step]) -> Phase {
    Phase { name, parts, steps }
}

const HEALTHY: Phase = phase("healthy", 4, &[]);
const BACK: Phase = phase("back", 14, &[step(0.0, Act::Revive, Whom::All)]);
/// The others stay away a little longer: what returns first has to carry everything alone.
const ONE_BACK_THEN_ALL: &[Step] = &[step(0.0, Act::Revive, FIRST), step(0.15, Act::Revive, Whom::All)];
/// It is asked until its circuit has opened, and then no more.
const LEFT_ALONE: &str = "failed=0,wrong=0,hung=0,rto<2s,late=0,extra_load<1.3,open=0,imbalance<0.35";
/// Where nothing is refused, the limits end the waiting.
const LEFT_ALONE_IN_TIME: &str = "failed=0,wrong=0,hung=0,rto<2s,late=0,extra_load<1.3,too_slow=0,open=0,imbalance<0.35";
/// It refuses, and others do not.
const DRIFTED: &str = "failed=0,wrong=0,hung=0,rto<2s,detect<2s,open=0,imbalance<0.35";

macro_rules! on_the_line {
    ($name:literal, $spoil:ident, $phase:literal, $does:literal, $expects:literal, $expect:expr, $wants:ident) => {
        Scenario {
            name: $name,
            does: $does,
            expects: $expects,
            phases: &[HEALTHY, phase($phase, 8, &[step(0.0, Act::Spoil(Spoil::$spoil), FIRST)]), BACK],
            expect: $expect,
            store: Wants::$wants,
        }
    };
}

/// Every scenario, in the order of `--scenario all`, which leaves out `full`: its parts are there one by one.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "full",
        does: "one region is killed, then one hangs, then all are gone for a moment",
        expects: "no failed read while one region is alive, and reads again within 2 s of the first return",
        phases: &[
            HEALTHY,
            // It is back before another is harmed: with two regions, one that nobody has asked again yet is no help.
            phase("one killed", 6, &[step(0.0, Act::Kill, FIRST), step(0.6, Act::Revive, FIRST)]),
            // Another region than the killed one, whose circuit may still be open: a hang must be met by a circuit that is closed.
            phase("one hanging", 6, &[step(0.0, Act::Hang, Whom::Region(1))]),
            phase("back", 10, &[step(0.0, Act::Revive, Whom::All)]),
            phase("all gone", 2, &[step(0.0, Act::Kill, Whom::All)]),
            phase("back again", 12, ONE_BACK_THEN_ALL),
        ],
        expect: "failed=0,wrong=0,hung=0,dishonest=0,worst_error<2s,late=0,rto<2s,open=0,imbalance<0.3",
        store: Wants::NOTHING,
    },
    Scenario {
        name: "kill",
        does: "SIGKILL to one region: its socket and connections are gone",
        expects: "no failed read; it is left alone after threshold + in-flight requests",
        phases: &[HEALTHY, phase("one killed", 8, &[step(0.0, Act::Kill, FIRST)]), BACK],
        expect: LEFT_ALONE,
        store: Wants::NOTHING,
    },
    Scenario {
        name: "hang",
        does: "SIGSTOP to one region: it takes connections and answers nothing",
        expects: "no failed read; those that met it wait for an attempt limit at most",
        phases: &[HEALTHY, phase("one hanging", 8, &[step(0.0, Act::Hang, FIRST)]), BACK],
        expect: LEFT_ALONE_IN_TIME,
        store: Wants::NOTHING,
    },
    on_the_line!(
        "refuse",
        Refuse,
        "one refuses",
        "one region refuses connections, and open ones are reset",
        "no failed read; each that meets it moves on at once",
        LEFT_ALONE,
        NOTHING
    ),
    on_the_line!(
        "blackhole",
        Blackhole,
        "one is a hole",
        "packets to one region vanish, those of new connections too",
        "no failed read; silence or the attempt limit ends the waiting",
        LEFT_ALONE_IN_TIME,
        NOTHING
    ),
    on_the_line!(
        "swallow",
        Swallow,
        "one swallows",
        "one region's line takes everything and brings nothing back",
        "no failed read; silence or the attempt limit ends the waiting",
        LEFT_ALONE_IN_TIME,
        NOTHING
    ),
    on_the_line!(
        "slow",
        Slow,
        "one is slow",
        "one region's answers come after 20 times the usual time",
        "with hedging: no failed read, and a p99 near the healthy one",
        // It stays the last to be asked until its slow answers are forgotten, which takes longer than a drill.
        "failed=0,wrong=0,hung=0,p99_ratio<4,open=0",
        HEDGING
    ),
    on_the_line!(
        "trickle",
        Trickle,
        "one trickles",
        "one region's bodies come at 32 KiB/s",
        "no failed read; bodies from there are slow, for a body that flows is left where it is",
        "failed=0,wrong=0,hung=0,open=0",
        HEDGING
    ),
    on_the_line!(
        "reset-mid-body",
        Reset,
        "bodies reset",
        "one region's bodies are reset after 64 KiB",
        "no failed read: bodies go on elsewhere from the very byte, and few bytes are fetched twice",
        "failed=0,wrong=0,hung=0,rto<2s,refetched<0.5,open=0,imbalance<0.35",
        NOTHING
    ),
    on_the_line!(
        "stall-mid-body",
        Stall,
        "bodies stall",
        "one region's bodies stop after 64 KiB, their connections stay open",
        "no failed read: bodies go on elsewhere after the stall limit",
        "failed=0,wrong=0,hung=0,rto<2s,too_slow=0,refetched<0.5,open=0,imbalance<0.35",
        NOTHING
    ),
    on_the_line!(
        "truncate",
        Truncate,
        "bodies cut short",
        "one region's bodies end after 64 KiB, in good order but too short",
        "no wrong byte: nobody takes a part for the whole",
        "failed=0,wrong=0,hung=0,rto<2s,refetched<0.5,open=0,imbalance<0.35",
        NOTHING
    ),
    on_the_line!(
        "throttle",
        Throttle,
        "one throttles",
        "one region answers 503 SlowDown to everything",
        "no failed read; it is asked for no more than its share, and the others for no more than theirs",
        "failed=0,wrong=0,hung=0,rto<2s,extra_load<1.3,open=0,imbalance<0.35",
        NOTHING
    ),
    on_the_line!(
        "unavailable",
        Unavailable,
        "one unavailable",
        "one region answers 503 XMinioServerNotInitialized with Retry-After",
        "no failed read; its circuit opens",
        LEFT_ALONE,
        NOTHING
    ),
    Scenario {
        name: "starting",
        does: "one region is killed, starts without being ready (a real MinIO: one node of four), and becomes ready",
        expects: "no failed read; it is used again once it serves",
        phases: &[HEALTHY, phase("killed, starting", 8, &[step(0.0, Act::Kill, FIRST), step(0.3, Act::StartUnready, FIRST)]), BACK],
        expect: "failed=0,wrong=0,hung=0,rto<2s,late=0,open=0",
        store: Wants::NOTHING,
    },
    Scenario {
        name: "quorum-loss",
        does: "two, then three of one region's four nodes are killed: then it hangs on reads while listings and liveness say 200",
        expects: "no failed read: with two lost the region still serves, with three only reads tell, and open its circuit",
        phases: &[
            HEALTHY,
            phase("2 of 4 gone", 4, &[step(0.0, Act::LoseNodes(2), FIRST)]),
            phase("3 of 4 gone", 6, &[step(0.0, Act::LoseNodes(3), FIRST)]),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,late=0,too_slow=0,undecided>0,open=0",
        store: Wants::NOTHING,
    },
    Scenario {
        name: "auth-drift",
        does: "one region's key is disabled",
        expects: "no failed read: what others accept is that region's drift, and its circuit opens",
        phases: &[HEALTHY, phase("key disabled", 8, &[step(0.0, Act::DisableKey, FIRST)]), BACK],
        expect: DRIFTED,
        store: Wants::NOTHING,
    },
    on_the_line!(
        "wrong-bucket",
        NoSuchBucket,
        "no such bucket",
        "one region answers 404 NoSuchBucket",
        "no failed read and no false NotFound: a missing bucket is no missing key",
        "failed=0,wrong=0,hung=0,rto<2s,detect<2s,lagging=0,open=0,imbalance<0.35",
        NOTHING
    ),
    on_the_line!("clock-skew", Skewed, "clock is off", "one region answers 403 RequestTimeTooSkewed", "no failed read", DRIFTED, NOTHING),
    Scenario {
        name: "replication-lag",
        does: "replication stops, keys are written and overwritten in the first region, all are read everywhere",
        expects: "new keys are found where they are; keys under home_prefixes are never an older version",
        phases: &[
            HEALTHY,
            phase(
                "not replicated",
                8,
                &[step(0.0, Act::PauseReplication, FIRST), step(0.05, Act::Write, FIRST), step(0.1, Act::Overwrite, FIRST)],
            ),
            phase("replicated again", 8, &[step(0.0, Act::ResumeReplication, FIRST)]),
        ],
        expect: "failed=0,wrong=0,stale=0,hung=0,lagging>0,open=0",
        store: Wants::HOME,
    },
    Scenario {
        name: "delete-marker",
        does: "replication stops and keys are deleted in the first region (a marker), while the others still have them",
        expects: "under home_prefixes the deleted stay deleted; a marker of home ends a search",
        phases: &[
            HEALTHY,
            phase("not replicated", 8, &[step(0.0, Act::PauseReplication, FIRST), step(0.05, Act::Delete, FIRST)]),
            phase("replicated again", 8, &[step(0.0, Act::ResumeReplication, FIRST)]),
        ],
        expect: "failed=0,wrong=0,stale=0,hung=0,deleted>0,open=0",
        store: Wants::HOME,
    },
    Scenario {
        name: "flap",
        does: "one region goes up and down all the time",
        expects: "no failed read, whether it is up, down or in between",
        phases: &[
            HEALTHY,
            phase(
                "flapping",
                12,
                &[
                    step(0.0, Act::Kill, FIRST),
                    step(0.167, Act::Revive, FIRST),
                    step(0.333, Act::Kill, FIRST),
                    step(0.5, Act::Revive, FIRST),
                    step(0.667, Act::Kill, FIRST),
                    step(0.833, Act::Revive, FIRST),
                ],
            ),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,open=0",
        store: Wants::NOTHING,
    },
    Scenario {
        name: "rolling-restart",
        does: "every region is killed and started again, one after the other",
        expects: "no failed read",
        phases: &[
            HEALTHY,
            phase("one by one", 14, &[step(0.0, Act::Kill, Whom::EachInTurn), step(0.4, Act::Revive, Whom::EachInTurn)]),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,open=0,imbalance<0.35",
        store: Wants::NOTHING,
    },
    Scenario {
        name: "all-down-and-back",
        does: "all regions are gone for a moment, and come back one after the other",
        expects: "errors that name every region, at once; reads again within 2 s of the first return",
        phases: &[HEALTHY, phase("all gone", 4, &[step(0.0, Act::Kill, Whom::All)]), phase("back", 18, ONE_BACK_THEN_ALL)],
        expect: "failed=0,wrong=0,hung=0,dishonest=0,worst_error<2s,rto<2s,open=0,imbalance<0.35",
        store: Wants::NOTHING,
    },
    Scenario {
        name: "recovery-under-load",
        does: "one region dies and returns slow, as with cold caches, while the load goes on",
        expects: "no failed read; it gets its whole share back",
        phases: &[
            HEALTHY,
            phase("one killed", 6, &[step(0.0, Act::Kill, FIRST)]),
            phase("back, slow", 6, &[step(0.0, Act::Revive, FIRST), step(0.01, Act::Spoil(Spoil::Slow), FIRST)]),
            BACK,
        ],
        expect: "failed=0,wrong=0,hung=0,rto<2s,open=0,imbalance<0.35",
        store: Wants::NOTHING,
    },
];

/// What `--config` plays where no scenario is named: the faults are somebody else's, the rows are slices of time.
pub(crate) const WATCH: Scenario = Scenario {
    name: "watch",
    does: "no faults but those that people make",
    expects: "no failed read",
    phases: &[
        phase("1st sixth", 1, &[]),
        phase("2nd sixth", 1, &[]),
        phase("3rd sixth", 1, &[]),
        phase("4th sixth", 1, &[]),
        phase("5th sixth", 1, &[]),
        phase("last sixth", 1, &[]),
    ],
    expect: "failed=0,wrong=0,hung=0",
    store: Wants::NOTHING,
};

/// The name under which the regions are looked at one by one, and nothing is broken.
pub(crate) const PREFLIGHT: &str = "preflight";
