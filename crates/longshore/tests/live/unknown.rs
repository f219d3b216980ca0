//! Containers that do not exist, and names that can't.

use std::future::Future;
use std::pin::Pin;

use longshore::container::{InspectOptions, KillOptions, RestartOptions, StartOptions, TopOptions, UpdateOptions};
use longshore::{Container, ErrorKind, Result, Size, Until};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{at_once, forced, tar};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(no_method_finds_a_container_that_does_not_exist),
        test(odd_names_are_names_like_others),
        test(an_empty_name_is_refused_before_anything_is_sent),
    ]
}

type Call = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A call of every method, by its name.
fn calls(container: &Container) -> Vec<(&'static str, Call)> {
    fn call<F, R, T>(container: &Container, method: F) -> Call
    where
        F: FnOnce(Container) -> R,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        let calling = method(container.clone());
        Box::pin(async move { calling.await.map(drop) })
    }
    let size = Size { rows: 1, columns: 1 };
    let c = container;
    vec![
        ("archive", call(c, |c| async move { c.archive("/etc").await })),
        ("archive_info", call(c, |c| async move { c.archive_info("/etc").await })),
        ("attach", call(c, |c| async move { c.attach().stdin().logs().await })),
        #[cfg(feature = "websocket")]
        ("attach_websocket", call(c, |c| async move { c.attach_websocket().stdin().await })),
        ("changes", call(c, |c| async move { c.changes().await })),
        ("commit", call(c, |c| async move { c.commit().await })),
        ("exec", call(c, |c| async move { c.exec("true").output().await })),
        ("exec detached", call(c, |c| async move { c.exec("true").start_detached().await })),
        ("export", call(c, |c| async move { c.export().await })),
        ("inspect", call(c, |c| async move { c.inspect_with(&InspectOptions::default().size()).await })),
        ("kill", call(c, |c| async move { c.kill_with(&KillOptions::default().signal("SIGHUP")).await })),
        ("logs", call(c, |c| async move { c.logs().await?.collect().await })),
        ("follow", call(c, |c| async move { c.logs().follow().tail(1).await?.collect().await })),
        ("pause", call(c, |c| async move { c.pause().await })),
        ("port", call(c, |c| async move { c.port(80).await })),
        ("put_archive", call(c, |c| async move { c.put_archive("/", tar(&[])).await })),
        ("remove", call(c, |c| async move { c.remove_with(&forced()).await })),
        ("rename", call(c, |c| async move { c.rename("another").await })),
        ("resize", call(c, move |c| async move { c.resize(size).await })),
        ("restart", call(c, |c| async move { c.restart_with(&RestartOptions::default()).await })),
        ("start", call(c, |c| async move { c.start_with(&StartOptions::default()).await })),
        ("stats", call(c, |c| async move { c.stats().await })),
        ("stats_once", call(c, |c| async move { c.stats_once().await })),
        ("stats_one_shot", call(c, |c| async move { c.stats_one_shot().await })),
        ("stop", call(c, |c| async move { c.stop_with(&at_once()).await })),
        ("top", call(c, |c| async move { c.top_with(&TopOptions::default()).await })),
        ("unpause", call(c, |c| async move { c.unpause().await })),
        ("update", call(c, |c| async move { c.update_with(&UpdateOptions::default().cpu_shares(2)).await })),
        ("wait", call(c, |c| async move { c.wait(Until::NotRunning).await?.await })),
        ("wait for the next end", call(c, |c| async move { c.wait(Until::NextExit).await?.await })),
        ("wait for removal", call(c, |c| async move { c.wait(Until::Removed).await?.await })),
    ]
}

/// Calls every method; each must fail with this kind and name the container. Tells which did not.
async fn all_fail(container: &Container, kind: ErrorKind) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, call) in calls(container) {
        match call.await {
            Err(error) if error.kind() == kind && error.target() == Some(container.id()) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    wrong
}

async fn no_method_finds_a_container_that_does_not_exist(live: Live) -> Outcome {
    let mut wrong = all_fail(&live.container(live.name()), ErrorKind::NotFound).await;
    if live.engine().is_podman() {
        wrong.retain(|outcome| !outcome.contains("Err(Error { kind: Unsupported"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn odd_names_are_names_like_others(live: Live) -> Outcome {
    let mut wrong = Vec::new();
    for name in ["a/b", "a?b", "a%b", "a b", "a#b", "%2e%2e", "ä", "json"] {
        let outcome = live.container(name).inspect().await;
        match outcome {
            Err(error) if error.is_not_found() && error.target() == Some(name) => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn an_empty_name_is_refused_before_anything_is_sent(live: Live) -> Outcome {
    for name in ["", "/"] {
        let wrong = all_fail(&live.container(name), ErrorKind::Invalid).await;
        assert!(wrong.is_empty(), "{name:?}: {}", wrong.join("\n"));
    }
    // A part of a path that would lead elsewhere. A commit names its container in the query, where it does no harm.
    for name in [".", "..", "../json", "a/../b"] {
        let mut wrong = all_fail(&live.container(name), ErrorKind::Invalid).await;
        wrong.retain(|outcome| !outcome.starts_with("commit: Err(Error { kind: NotFound"));
        assert!(wrong.is_empty(), "{name:?}: {}", wrong.join("\n"));
    }
    Ok(())
}
