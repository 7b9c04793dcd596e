//! The runtime: openraft's simulated one (one thread, virtual time), and a power switch a node.
//!
//! A task belongs to the node whose task spawned it. When a node's power is cut, its tasks are gone
//! at once, wherever they stand; while it is paused, none of them is polled.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use openraft::{AsyncRuntime, OptionalSend};
use openraft_rt_sim::SimRuntime;

use super::disk::Disk;
use crate::cluster::runtime::Runtime;

thread_local! {
    /// The node whose task is being polled.
    static POWER: RefCell<Option<Arc<Power>>> = const { RefCell::new(None) };
}

/// The choice of [`Tasks`], for our adapters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Simulated;

impl Runtime for Simulated {
    type Tasks = Tasks;

    async fn blocking<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let power = POWER.with_borrow(Clone::clone);
        if let Some(power) = power {
            Tasks::sleep(power.disk.work_time()).await;
        }
        Ok(work())
    }
}

/// What keeps the tasks of one node going, from a start to the next crash.
pub(super) struct Power {
    disk: Arc<Disk>,
    is_cut: AtomicBool,
    /// Wakers of tasks that were not polled because the node is paused.
    paused: Mutex<Option<Vec<Waker>>>,
    next: AtomicU64,
    tasks: Mutex<BTreeMap<u64, Arc<dyn Cut>>>,
}

impl Power {
    pub(super) fn on(disk: Arc<Disk>) -> Arc<Power> {
        Arc::new(Power {
            disk,
            is_cut: AtomicBool::new(false),
            paused: Mutex::new(None),
            next: AtomicU64::new(0),
            tasks: Mutex::default(),
        })
    }

    /// Runs a future as a task of this node.
    pub(super) fn spawn<T>(
        self: &Arc<Power>,
        future: T,
    ) -> <Tasks as AsyncRuntime>::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let is_cut = self.is_cut.load(Ordering::Relaxed);
        let slot = Arc::new(Slot(Mutex::new((!is_cut).then(|| Box::pin(future)))));
        if !is_cut {
            lock(&self.tasks).insert(id, slot.clone());
        }
        SimRuntime::spawn(Powered { power: self.clone(), id, slot })
    }

    /// Ends every task where it stands.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for task in tasks.into_values() {
            task.cut();
        }
    }

    pub(super) fn pause(&self) {
        lock(&self.paused).get_or_insert_default();
    }

    pub(super) fn resume(&self) {
        let wakers = lock(&self.paused).take();
        for waker in wakers.unwrap_or_default() {
            waker.wake();
        }
    }
}

/// A task that can be ended from outside.
trait Cut: Send + Sync {
    fn cut(&self);
}

/// Holds a future except while it is polled.
struct Slot<F>(Mutex<Option<Pin<Box<F>>>>);

impl<F: Send> Cut for Slot<F> {
    fn cut(&self) {
        let future = lock(&self.0).take();
        drop(future);
    }
}

struct Powered<F> {
    power: Arc<Power>,
    id: u64,
    slot: Arc<Slot<F>>,
}

impl<F: Future> Future for Powered<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(waiting) = &mut *lock(&self.power.paused) {
            waiting.push(cx.waker().clone());
            return Poll::Pending;
        }
        // A task that was cut stays pending for ever: nobody is there to be told.
        let Some(mut future) = lock(&self.slot.0).take() else { return Poll::Pending };
        let _inside = Inside::enter(self.power.clone());
        let polled = future.as_mut().poll(cx);
        match polled {
            Poll::Ready(_) => {
                lock(&self.power.tasks).remove(&self.id);
            }
            Poll::Pending if self.power.is_cut.load(Ordering::Relaxed) => drop(future),
            Poll::Pending => *lock(&self.slot.0) = Some(future),
        }
        polled
    }
}

/// Marks whose task is being polled; what was marked before comes back at the end.
struct Inside(Option<Arc<Power>>);

impl Inside {
    fn enter(power: Arc<Power>) -> Inside {
        Inside(POWER.with_borrow_mut(|current| current.replace(power)))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        POWER.with_borrow_mut(|current| *current = self.0.take());
    }
}

/// The runtime that openraft is given.
#[derive(Debug)]
pub(super) struct Tasks;

impl AsyncRuntime for Tasks {
    type JoinError = <SimRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = <SimRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = <SimRuntime as AsyncRuntime>::Sleep;
    type Instant = <SimRuntime as AsyncRuntime>::Instant;
    type TimeoutError = <SimRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, T: Future<Output = R> + OptionalSend> =
        <SimRuntime as AsyncRuntime>::Timeout<R, T>;
    type ThreadLocalRng = <SimRuntime as AsyncRuntime>::ThreadLocalRng;
    type Mpsc = <SimRuntime as AsyncRuntime>::Mpsc;
    type Watch = <SimRuntime as AsyncRuntime>::Watch;
    type Oneshot = <SimRuntime as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <SimRuntime as AsyncRuntime>::Mutex<T>;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        match POWER.with_borrow(Clone::clone) {
            Some(power) => power.spawn(future),
            None => SimRuntime::spawn(future),
        }
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        SimRuntime::sleep(duration)
    }

    fn sleep_until(deadline: Self::Instant) -> Self::Sleep {
        SimRuntime::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        SimRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> Self::Timeout<R, F> {
        SimRuntime::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        SimRuntime::is_panic(join_error)
    }

    fn thread_rng() -> Self::ThreadLocalRng {
        SimRuntime::thread_rng()
    }

    fn new(_threads: usize) -> Self {
        Tasks
    }

    /// A run has one `SimRuntime`, which [`super::run`] makes with the seed.
    fn block_on<F: Future<Output = T>, T>(&mut self, future: F) -> T {
        SimRuntime::with_seed(0).block_on(future)
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
