//! Work in a process of its own, whose memory nothing else fills: this program, started once more.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::process::{ExitCode, Stdio};

use longshore_testkit::memory;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// What makes this program such a process: the name of the work, then what it is given, a line each.
const WORK: &str = "LONGSHORE_LIVE_WORK";

type Working<'a> = Pin<Box<dyn Future<Output = Result<String, Box<dyn Error + Send + Sync>>> + 'a>>;

/// Work that can be done so: its name, and what does it with what it is given, and says something in the end.
pub(crate) type Work = (&'static str, for<'a> fn(&'a [&'a str]) -> Working<'a>);

/// Has the work done, and tells what it says and the most memory that it took in bytes, program and runtime included.
pub(crate) async fn measure(work: Work, given: &[&str]) -> Result<(String, u64), Box<dyn Error + Send + Sync>> {
    let words = [&[work.0], given].concat().join("\n");
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.env(WORK, words).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let told = stdout.trim_end().split_once('\n').and_then(|(peak, said)| Some((said.to_owned(), peak.parse().ok()?)));
    told.filter(|_| output.status.success()).ok_or_else(|| format!("{stdout}{stderr}").into())
}

/// Begins work that does not end by itself, and waits until it has written a line: the process, and that line.
pub(crate) async fn begin(work: Work, given: &[&str]) -> Result<(Child, String), Box<dyn Error + Send + Sync>> {
    // What a shell has started in the background ignores SIGINT, and so would its children.
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(std::env::current_exe()?);
    command.env(WORK, [&[work.0], given].concat().join("\n")).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn()?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).await?;
    }
    match line.trim_end() {
        "" => Err(format!("it has ended without a word: {}", child.wait().await?).into()),
        line => Ok((child, line.to_owned())),
    }
}

/// Does the work that the parent asks for, if there is one.
pub(crate) fn work(works: &[Work]) -> Option<ExitCode> {
    let words = std::env::var(WORK).ok()?;
    let words: Vec<&str> = words.split('\n').collect();
    let (_, work) = works.iter().find(|(name, _)| *name == words[0])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let outcome = runtime.block_on(work(&words[1..])).and_then(|said| Ok((said, memory::peak()?)));
    Some(match outcome {
        Ok((said, peak)) => {
            println!("{peak}\n{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}
