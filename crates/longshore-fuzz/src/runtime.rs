use std::cell::RefCell;
use std::future::Future;

use longshore_testkit::never_hangs;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(make());
}

fn make() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Waits for a future on a clock that is paused, so that a hang costs nothing and is found.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with_borrow(|runtime| runtime.block_on(never_hangs(future, "an input")))
}
