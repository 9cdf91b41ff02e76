//! Circuit breakers. One call admits a request and records a success, with no work in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use circuitbreaker_rs::DefaultPolicy;
use failsafe::{CircuitBreaker as _, FailurePolicy as _};
use object_store_failover::health::bench;
use tower::Service;
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

/// One call by one thread; returns whether the circuit admitted it.
pub type Call = Box<dyn FnMut() -> bool + Send>;

/// A circuit under measurement.
pub struct Peer {
    pub name: &'static str,
    /// Returns the call for one more thread.
    pub call: Box<dyn Fn() -> Call + Send>,
}

impl Peer {
    fn new(name: &'static str, call: impl Fn() -> Call + Send + 'static) -> Self {
        Self {
            name,
            call: Box::new(call),
        }
    }
}

/// All circuits, open or closed, in the order of the table.
pub fn all(open: bool) -> Vec<Peer> {
    vec![
        baseline(open),
        failover(open),
        failover_with_clock(open),
        recloser(open),
        failsafe(open),
        failsafe_window(open),
        circuitbreaker_rs(open),
        tower_resilience(open),
    ]
}

/// The least work of a circuit: one atomic load and one counter.
pub fn baseline(open: bool) -> Peer {
    let word = Arc::new((AtomicBool::new(open), AtomicU64::new(0)));
    Peer::new("baseline: a load and a fetch_add", move || {
        let word = Arc::clone(&word);
        Box::new(move || {
            let passes = !word.0.load(Ordering::Acquire);
            if passes {
                word.1.fetch_add(1, Ordering::Relaxed);
            }
            passes
        })
    })
}

/// Takes the time as an argument, because a read has already read the clock.
pub fn failover(open: bool) -> Peer {
    let circuit = failover_circuit(open);
    Peer::new("FailoverStore", move || {
        let (circuit, now) = (circuit.clone(), bench::now());
        Box::new(move || circuit.call(now))
    })
}

pub fn failover_with_clock(open: bool) -> Peer {
    let circuit = failover_circuit(open);
    Peer::new("FailoverStore, with a clock read", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(bench::now()))
    })
}

fn failover_circuit(open: bool) -> bench::Circuit {
    if open {
        bench::Circuit::open()
    } else {
        bench::Circuit::closed()
    }
}

pub fn recloser(open: bool) -> Peer {
    let circuit = Arc::new(
        recloser::Recloser::custom()
            .closed_len(if open { 1 } else { 100 })
            .open_wait(OPEN_TIME)
            .build(),
    );
    if open {
        (0..2).for_each(|_| drop(circuit.call(|| Err::<(), ()>(()))));
    }
    Peer::new("recloser", move || {
        let circuit = Arc::clone(&circuit);
        Box::new(move || circuit.call(|| Ok::<(), ()>(())).is_ok())
    })
}

pub fn failsafe(open: bool) -> Peer {
    let policy =
        failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(OPEN_TIME));
    let circuit = failsafe::Config::new().failure_policy(policy).build();
    if open {
        (0..5).for_each(|_| drop(circuit.call(|| Err::<(), ()>(()))));
    }
    Peer::new("failsafe, consecutive failures", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(|| Ok::<(), ()>(())).is_ok())
    })
}

/// The default policies, consecutive failures or a rate over time, with a longer open time.
pub fn failsafe_window(open: bool) -> Peer {
    let rate = failsafe::failure_policy::success_rate_over_time_window(
        0.8,
        5,
        Duration::from_secs(30),
        failsafe::backoff::constant(OPEN_TIME),
    );
    let policy = rate.or_else(failsafe::failure_policy::consecutive_failures(
        5,
        failsafe::backoff::constant(OPEN_TIME),
    ));
    let circuit = failsafe::Config::new().failure_policy(policy).build();
    if open {
        (0..100).for_each(|_| drop(circuit.call(|| Err::<(), ()>(()))));
    }
    Peer::new("failsafe, defaults (with a rate)", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(|| Ok::<(), ()>(())).is_ok())
    })
}

pub fn circuitbreaker_rs(open: bool) -> Peer {
    let circuit = circuitbreaker_rs::CircuitBreaker::<DefaultPolicy, std::io::Error>::builder()
        .cooldown(OPEN_TIME)
        .build();
    if open {
        circuit.force_open();
    }
    Peer::new("circuitbreaker-rs", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(|| Ok(())).is_ok())
    })
}

/// The calling thread drives the future.
pub fn tower_resilience(open: bool) -> Peer {
    let layer = CircuitBreakerLayer::builder()
        .wait_duration_in_open(OPEN_TIME)
        .build()
        .expect("valid settings");
    let circuit = layer.layer_fn(tower::service_fn(|(): ()| {
        std::future::ready(Ok::<(), std::io::Error>(()))
    }));
    if open {
        futures::executor::block_on(circuit.force_open());
    }
    Peer::new("tower-resilience-circuitbreaker", move || {
        let mut circuit = circuit.clone();
        Box::new(move || {
            let Poll::Ready(Ok(())) =
                Service::<()>::poll_ready(&mut circuit, &mut Context::from_waker(Waker::noop()))
            else {
                return false;
            };
            futures::executor::block_on(circuit.call(())).is_ok()
        })
    })
}

/// No circuit half-opens during a measurement.
const OPEN_TIME: Duration = Duration::from_secs(3_600);

/// The time of the slowest of `threads` that make `calls` each at one circuit, from a common start.
pub fn contend(peer: &Peer, threads: usize, calls: u64) -> Duration {
    let barrier = std::sync::Barrier::new(threads);
    // One of the peers spawns a task when two of its calls contend.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .expect("a runtime");
    let run = |mut call: Call| {
        let _guard = runtime.enter();
        barrier.wait();
        let started_at = Instant::now();
        (0..calls).for_each(|_| {
            std::hint::black_box(call());
        });
        started_at.elapsed()
    };
    let all: Vec<Call> = (0..threads).map(|_| (peer.call)()).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = all
            .into_iter()
            .map(|call| scope.spawn(|| run(call)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a call does not panic"))
            .max()
            .unwrap_or_default()
    })
}
