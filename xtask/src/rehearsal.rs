//! The demo, and how it ends where a signal interrupts it: at every step of it, nothing of it is left.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use longshore::Docker;
use longshore::container::ListOptions;
use longshore::guard::Signal;
use longshore::image::ImageListOptions;
use longshore_testkit::tally;
use rustix::process::{Pid, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::error::{Context, Error, Result};

/// `cargo xtask rehearse`
#[derive(Args)]
pub(crate) struct Arguments {
    /// The engines, such as unix:///var/run/docker.sock
    #[arg(required = true)]
    pub(crate) hosts: Vec<String>,
}

/// How many demos run at a time.
const AT_A_TIME: usize = 4;

/// The longest that a demo may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the last line of a demo says that left nothing, before its label.
const CLEAN: &str = "left behind: nothing with the label ";

/// Runs the demo on each of the engines once to its end, and then once for each of its steps, which a signal interrupts.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for host in &arguments.hosts {
            rehearse(host).await.context(|| format!("the demo on {host}"))?;
        }
        Ok(())
    })
}

async fn rehearse(host: &str) -> Result<()> {
    let steps = demo(host, None).await?;
    if steps < 10 {
        return Err(Error::new(format!("only {steps} steps were told")));
    }
    let room = Arc::new(Semaphore::new(AT_A_TIME));
    let mut demos = JoinSet::new();
    for step in 1..=steps {
        let signal = if step % 2 == 0 { Signal::Terminate } else { Signal::Interrupt };
        let (room, host) = (room.clone(), host.to_owned());
        demos.spawn(async move {
            let _place = room.acquire_owned().await?;
            demo(&host, Some((step, signal))).await.context(|| format!("{signal:?} at step {step}"))
        });
    }
    while let Some(outcome) = demos.join_next().await {
        outcome??;
    }
    println!("{host}: interrupted at each of {steps} steps, nothing was left");
    tally("demo", "steps at which it was interrupted", steps as u64);
    tally("demo", "left behind", 0);
    Ok(())
}

/// Runs the demo, to its end or to the step at which it is sent a signal, and sees whether it ends as it should. Tells
/// how many steps it has taken.
async fn demo(host: &str, interruption: Option<(usize, Signal)>) -> Result<usize> {
    // The tests may be run where Ctrl-C is ignored.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(std::env::current_exe()?).arg("demo").env("DOCKER_HOST", host);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context(|| "run the demo".to_owned())?;
    let complaints = child.stderr.take().ok_or_else(|| Error::new("it has no standard error"))?;
    let reading = async { tokio::try_join!(watch(&mut child, interruption), read(complaints)) };
    let outcome = tokio::time::timeout(PATIENCE, reading).await;
    let ((told, steps), complaints) =
        outcome.map_err(|_| Error::new(format!("it has not ended within {PATIENCE:?}")))??;
    let code = child.wait().await?.code();
    let wanted = interruption.map_or(0, |(_, signal)| signal.exit_code());
    if code != Some(wanted.into()) {
        return Err(Error::new(format!("exit code {code:?} instead of {wanted}, and it said:\n{told}{complaints}")));
    }
    let label = told.lines().find_map(|line| Some(line.split_once(CLEAN)?.1.trim()));
    let label = label.ok_or_else(|| Error::new(format!("it does not say that nothing is left:\n{told}")))?;
    nothing_is_left(host, label).await?;
    Ok(steps)
}

/// Reads what a demo says to its end, and sends it a signal when it comes to that step. Tells how many steps there were.
async fn watch(child: &mut Child, interruption: Option<(usize, Signal)>) -> Result<(String, usize)> {
    let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let output = child.stdout.take().ok_or_else(|| Error::new("it has no output"))?;
    let (mut lines, mut told, mut steps) = (BufReader::new(output).lines(), String::new(), 0);
    while let Some(line) = lines.next_line().await? {
        if number_of(&line) == Some(steps + 1) {
            steps += 1;
            if let (Some((step, signal)), Some(id)) = (interruption, id)
                && step == steps
            {
                kill_process(id, number(signal))?;
            }
        }
        told.push_str(&line);
        told.push('\n');
    }
    Ok((told, steps))
}

async fn read(mut complaints: ChildStderr) -> Result<String> {
    let mut text = String::new();
    complaints.read_to_string(&mut text).await?;
    Ok(text)
}

/// The number in the title of a step.
fn number_of(line: &str) -> Option<usize> {
    let (number, title) = line.trim_start().split_once("  ")?;
    (!title.starts_with(' ')).then(|| number.parse().ok())?
}

fn number(signal: Signal) -> rustix::process::Signal {
    match signal {
        Signal::Interrupt => rustix::process::Signal::INT,
        _ => rustix::process::Signal::TERM,
    }
}

/// The demo's word is not taken for it.
async fn nothing_is_left(host: &str, label: &str) -> Result<()> {
    let docker = Docker::connect_to(host)?;
    let containers = docker.containers().list_with(&ListOptions::default().all().filter("label", label)).await?;
    let images = docker.images().list_with(&ImageListOptions::default().all().filter("label", label)).await?;
    match (containers.as_slice(), images.as_slice()) {
        ([], []) => Ok(()),
        _ => Err(Error::new(format!("left behind with the label {label}: {containers:?} {images:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_known_by_their_titles() {
        assert_eq!(number_of(" 7  Wait for a container"), Some(7));
        assert_eq!(number_of("12  Prune"), Some(12));
        for line in ["", "7 of them", "    let a = 7;", "    done", "total     7.1 s", "7   too far"] {
            assert_eq!(number_of(line), None, "{line}");
        }
    }
}
