//! Logs of services and tasks.

use std::collections::BTreeSet;
use std::time::SystemTime;

use longshore::swarm::TaskListOptions;
use longshore::{ErrorKind, OutputStream, Result, Service, ServiceSpec, Source};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, swarm_test};
use crate::support::{refused, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        swarm_test(a_service_has_the_logs_of_its_tasks),
        swarm_test(a_task_has_logs_of_its_own),
        swarm_test(lines_can_be_picked),
        swarm_test(followed_logs_go_on),
        swarm_test(a_terminal_has_one_source),
        swarm_test(what_is_not_there_has_no_logs),
    ]
}

const SCRIPT: &str = "echo out $SLOT; echo err $SLOT >&2; exec sleep 1000";

/// A service whose tasks say which one they are, on stdout and stderr.
fn speaking(live: &Live) -> ServiceSpec {
    live.service_spec(["sh", "-c", SCRIPT]).env("SLOT", "{{.Task.Slot}}")
}

/// The service, once its logs have so many lines.
async fn spoken(live: &Live, spec: &ServiceSpec, lines: usize) -> Result<Service> {
    let service = live.services().create(spec).await?.service;
    until("all tasks have spoken", async || Ok(texts(service.logs().await?).await?.len() == lines)).await?;
    Ok(service)
}

/// The lines in the order of their texts, each with where it came from.
async fn texts(output: OutputStream) -> Result<BTreeSet<(String, Source)>> {
    let (mut lines, mut all) = (output.lines(), BTreeSet::new());
    while let Some(line) = lines.next().await {
        let line = line?;
        all.insert((line.text().into_owned(), line.source));
    }
    Ok(all)
}

fn expected(lines: &[(&str, Source)]) -> BTreeSet<(String, Source)> {
    lines.iter().map(|&(text, source)| (text.to_owned(), source)).collect()
}

async fn a_service_has_the_logs_of_its_tasks(live: Live) -> Outcome {
    let service = spoken(&live, &speaking(&live).replicas(2), 4).await?;
    let all =
        [("err 1", Source::Stderr), ("err 2", Source::Stderr), ("out 1", Source::Stdout), ("out 2", Source::Stdout)];
    assert_eq!(texts(service.logs().await?).await?, expected(&all));
    assert_eq!(texts(service.logs().stdout_only().await?).await?, expected(&all[2..]));
    assert_eq!(texts(service.logs().stderr_only().await?).await?, expected(&all[..2]));
    Ok(())
}

async fn a_task_has_logs_of_its_own(live: Live) -> Outcome {
    let service = spoken(&live, &speaking(&live).replicas(2), 4).await?;
    for task in live.tasks().list_with(&TaskListOptions::default().filter("service", service.id())).await? {
        let (out, err) = (format!("out {}", task.slot), format!("err {}", task.slot));
        let lines = texts(live.task(&task.id).logs().await?).await?;
        assert_eq!(lines, expected(&[(&err, Source::Stderr), (&out, Source::Stdout)]));
        let details = texts(live.task(&task.id).logs().details().stdout_only().await?).await?;
        let (line, _) = details.first().ok_or("no line")?;
        assert!(line.contains(&format!("com.docker.swarm.task.id={}", task.id)) && line.ends_with(&out), "{line}");
    }
    Ok(())
}

async fn lines_can_be_picked(live: Live) -> Outcome {
    let before = SystemTime::now() - std::time::Duration::from_secs(60);
    let spec = live.service_spec(["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.02; done; exec sleep 1000"]);
    let service = spoken(&live, &spec, 3).await?;
    let logs = || service.logs().stdout_only();
    assert_eq!(texts(logs().tail(1).await?).await?, expected(&[("3", Source::Stdout)]));
    assert_eq!(texts(logs().since(before).await?).await?.len(), 3);
    assert!(texts(logs().since(SystemTime::now() + std::time::Duration::from_secs(60)).await?).await?.is_empty());
    let dated = texts(logs().timestamps().await?).await?;
    let times: Vec<&str> = dated.iter().filter_map(|(line, _)| line.split(' ').next()).collect();
    assert!(times.len() == 3 && times.iter().all(|time| time.starts_with("20") && time.ends_with('Z')), "{times:?}");
    Ok(())
}

async fn followed_logs_go_on(live: Live) -> Outcome {
    let script = "echo first; until [ -e /tmp/go ]; do sleep 0.05; done; echo second; exec sleep 1000";
    let service = spoken(&live, &live.service_spec(["sh", "-c", script]), 1).await?;
    let mut lines = service.logs().follow().await?.lines();
    let first = lines.next().await.ok_or("it ended")??;
    assert_eq!(first.text(), "first");
    let task = live.tasks().list_with(&TaskListOptions::default().filter("service", service.id())).await?.remove(0);
    let container = task.status.container_status.ok_or("no container")?.container_id;
    live.container(container).exec("touch /tmp/go").output().await?;
    let second = lines.next().await.ok_or("it ended")??;
    assert_eq!((second.text().as_ref(), second.source), ("second", Source::Stdout));
    drop(lines);
    service.remove().await?;
    Ok(())
}

async fn a_terminal_has_one_source(live: Live) -> Outcome {
    let service = spoken(&live, &speaking(&live).tty(), 2).await?;
    let all = expected(&[("err 1", Source::Terminal), ("out 1", Source::Terminal)]);
    let trimmed = |lines: BTreeSet<(String, Source)>| -> BTreeSet<(String, Source)> {
        lines.into_iter().map(|(line, source)| (line.trim_end().to_owned(), source)).collect()
    };
    assert_eq!(trimmed(texts(service.logs().await?).await?), all);
    let task = live.tasks().list_with(&TaskListOptions::default().filter("service", service.id())).await?.remove(0);
    assert_eq!(trimmed(texts(live.task(task.id).logs().await?).await?), all);
    Ok(())
}

async fn what_is_not_there_has_no_logs(live: Live) -> Outcome {
    refused(live.service("none").logs().await, &[ErrorKind::NotFound]);
    refused(live.task("none").logs().await, &[ErrorKind::NotFound]);
    let service = live.services().create(&live.service_spec("true").replicas(0)).await?;
    assert!(texts(service.logs().await?).await?.is_empty());
    Ok(())
}
