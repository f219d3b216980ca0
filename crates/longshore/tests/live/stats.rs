//! Measuring what containers use.

use longshore::{Container, ErrorKind, Result};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{at_once, refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_stream_gives_sample_after_sample),
        test(a_sample_is_taken_with_one_to_compare),
        test(a_sample_is_taken_at_once),
        test(what_does_not_run_uses_nothing),
        test(traffic_is_counted),
    ]
}

async fn busy(live: &Live) -> Result<Container> {
    live.start(live.spec(["sh", "-c", "while true; do :; done"]).memory(64 << 20).cpus(0.2)).await
}

async fn a_stream_gives_sample_after_sample(live: Live) -> Outcome {
    let container = busy(&live).await?;
    let mut stats = container.stats().await?;
    let first = stats.next().await.expect("a sample")?;
    // Podman compares its first sample with a moment before.
    assert!(first.cpu_percent() == 0.0 || live.engine().is_podman(), "{}", first.cpu_percent());
    let second = stats.next().await.expect("a sample")?;
    assert_eq!((first.id.as_str(), second.id.as_str()), (container.id(), container.id()));
    assert!(second.read.to_system_time() > first.read.to_system_time(), "{:?} {:?}", first.read, second.read);
    // Podman's figure overshoots the limit while the machine is busy.
    let most = if live.engine().is_podman() { 1_000.0 } else { 100.0 };
    assert!(second.cpu_percent() > 0.5 && second.cpu_percent() < most, "{}", second.cpu_percent());
    assert!(second.memory_used() > 0 && second.memory_used() < 64 << 20, "{}", second.memory_used());
    assert_eq!(second.memory_limit(), 64 << 20);
    assert!(second.pids_stats.current >= 1, "{:?}", second.pids_stats);
    Ok(())
}

async fn a_sample_is_taken_with_one_to_compare(live: Live) -> Outcome {
    let container = busy(&live).await?;
    let sample = container.stats_once().await?;
    assert_eq!(sample.id, container.id());
    assert!(sample.memory_used() > 0 && sample.memory_percent() > 0.0, "{:?}", sample.memory_stats);
    assert!(sample.cpu_percent() > 0.5 || live.engine().is_podman(), "{}", sample.cpu_percent());
    Ok(())
}

async fn a_sample_is_taken_at_once(live: Live) -> Outcome {
    let sample = live.shared().await?.stats_one_shot().await?;
    assert_eq!(sample.cpu_percent(), 0.0);
    assert!(sample.memory_stats.usage > 0);
    Ok(())
}

async fn what_does_not_run_uses_nothing(live: Live) -> Outcome {
    let container = live.start(live.spec("sleep 1000")).await?;
    container.stop_with(&at_once()).await?;
    let (once, one_shot) = (container.stats_once().await, container.stats_one_shot().await);
    let mut stream = container.stats().await?;
    let streamed = stream.next().await;
    if live.engine().is_podman() {
        refused(once, &[ErrorKind::Decode]);
        refused(one_shot, &[ErrorKind::Decode]);
        assert!(streamed.is_none(), "{streamed:?}");
        return Ok(());
    }
    for sample in [once?, one_shot?, streamed.expect("a sample")?] {
        assert!(sample.read.is_zero(), "{:?}", sample.read);
        assert_eq!((sample.memory_used(), sample.cpu_percent(), sample.pids_stats.current), (0, 0.0, 0));
    }
    Ok(())
}

async fn traffic_is_counted(live: Live) -> Outcome {
    let script = "ping -c 3 -W 1 $(ip route | awk '/default/ { print $3 }'); sleep 1000";
    let container = live.start(live.connected_spec(["sh", "-c", script])).await?;
    until("traffic", || async {
        let sample = container.stats_one_shot().await?;
        Ok(sample.network_sent() > 0 && sample.network_received() > 0)
    })
    .await?;
    Ok(())
}
