//! Circuits: one call through each is to ask for leave and to bring back a success, with no work in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use circuitbreaker_rs::DefaultPolicy;
use failsafe::{CircuitBreaker as _, FailurePolicy as _};
use object_store_failover::bench;
use tower::Service;
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

/// One call, by one thread; whether the circuit let it pass.
pub type Call = Box<dyn FnMut() -> bool + Send>;

/// A circuit, and who may call it.
pub struct Peer {
    pub name: &'static str,
    /// A call for one more thread.
    pub call: Box<dyn Fn() -> Call + Send>,
}

impl Peer {
    fn new(name: &'static str, call: impl Fn() -> Call + Send + 'static) -> Self {
        Self { name, call: Box::new(call) }
    }
}

/// All of them, in this state.
pub fn all(open: bool) -> Vec<Peer> {
    vec![
        floor(open),
        ours(open),
        ours_with_clock(open),
        recloser(open),
        failsafe(open),
        failsafe_window(open),
        circuitbreaker_rs(open),
        tower_resilience(open),
    ]
}

/// What no circuit can be cheaper than: one word is read, and one is counted up.
pub fn floor(open: bool) -> Peer {
    let word = Arc::new((AtomicBool::new(open), AtomicU64::new(0)));
    Peer::new("floor: a load and a fetch_add", move || {
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

/// Ours takes the moment as an argument: a read has looked at the clock already.
pub fn ours(open: bool) -> Peer {
    let circuit = our_circuit(open);
    Peer::new("FailoverStore", move || {
        let (circuit, now) = (circuit.clone(), bench::now());
        Box::new(move || circuit.call(now))
    })
}

pub fn ours_with_clock(open: bool) -> Peer {
    let circuit = our_circuit(open);
    Peer::new("FailoverStore, and a look at the clock", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(bench::now()))
    })
}

fn our_circuit(open: bool) -> bench::Circuit {
    if open { bench::Circuit::open() } else { bench::Circuit::closed() }
}

pub fn recloser(open: bool) -> Peer {
    let circuit = Arc::new(recloser::Recloser::custom().closed_len(if open { 1 } else { 100 }).open_wait(LONG).build());
    if open {
        (0..2).for_each(|_| drop(circuit.call(|| Err::<(), ()>(()))));
    }
    Peer::new("recloser", move || {
        let circuit = Arc::clone(&circuit);
        Box::new(move || circuit.call(|| Ok::<(), ()>(())).is_ok())
    })
}

pub fn failsafe(open: bool) -> Peer {
    let policy = failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(LONG));
    let circuit = failsafe::Config::new().failure_policy(policy).build();
    if open {
        (0..5).for_each(|_| drop(circuit.call(|| Err::<(), ()>(()))));
    }
    Peer::new("failsafe, consecutive failures", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(|| Ok::<(), ()>(())).is_ok())
    })
}

/// As it comes, consecutive failures or a rate over time as with us; but for how long it stays open.
pub fn failsafe_window(open: bool) -> Peer {
    let rate = failsafe::failure_policy::success_rate_over_time_window(0.8, 5, Duration::from_secs(30), failsafe::backoff::constant(LONG));
    let policy = rate.or_else(failsafe::failure_policy::consecutive_failures(5, failsafe::backoff::constant(LONG)));
    let circuit = failsafe::Config::new().failure_policy(policy).build();
    if open {
        (0..100).for_each(|_| drop(circuit.call(|| Err::<(), ()>(()))));
    }
    Peer::new("failsafe, as it comes (with a rate)", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(|| Ok::<(), ()>(())).is_ok())
    })
}

pub fn circuitbreaker_rs(open: bool) -> Peer {
    let circuit = circuitbreaker_rs::CircuitBreaker::<DefaultPolicy, std::io::Error>::builder().cooldown(LONG).build();
    if open {
        circuit.force_open();
    }
    Peer::new("circuitbreaker-rs", move || {
        let circuit = circuit.clone();
        Box::new(move || circuit.call(|| Ok(())).is_ok())
    })
}

/// The future of a call is driven by the thread itself.
pub fn tower_resilience(open: bool) -> Peer {
    let layer = CircuitBreakerLayer::builder().wait_duration_in_open(LONG).build().expect("settings that go together");
    let circuit = layer.layer_fn(tower::service_fn(|(): ()| std::future::ready(Ok::<(), std::io::Error>(()))));
    if open {
        futures::executor::block_on(circuit.force_open());
    }
    Peer::new("tower-resilience-circuitbreaker", move || {
        let mut circuit = circuit.clone();
        Box::new(move || {
            let Poll::Ready(Ok(())) = Service::<()>::poll_ready(&mut circuit, &mut Context::from_waker(Waker::noop())) else {
                return false;
            };
            futures::executor::block_on(circuit.call(())).is_ok()
        })
    })
}

/// Nothing closes while it is measured.
const LONG: Duration = Duration::from_secs(3_600);

/// The time that `threads` of them take for `calls` each at the same circuit, from the moment at which all of them began.
pub fn contend(peer: &Peer, threads: usize, calls: u64) -> Duration {
    let barrier = std::sync::Barrier::new(threads);
    // One peer spawns a task where two of its calls meet.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
    let run = |mut call: Call| {
        let _inside = runtime.enter();
        barrier.wait();
        let began = Instant::now();
        (0..calls).for_each(|_| {
            std::hint::black_box(call());
        });
        began.elapsed()
    };
    let all: Vec<Call> = (0..threads).map(|_| (peer.call)()).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = all.into_iter().map(|call| scope.spawn(|| run(call))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a call does not panic")).max().unwrap_or_default()
    })
}
