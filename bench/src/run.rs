use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use recordings::CONTAINER;

use crate::build::build;
use crate::container::Engine;
use crate::floors::Floors;
use crate::machine;
use crate::python::Python;
use crate::replay::Replay;
use crate::report;
use crate::rounds::Rounds;
use bench::Result;
use bench::meter::Sample;
use bench::task::Task;
use bench::work::{Client, Work};

/// Where the results of a whole run are written.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");

#[derive(Args)]
pub(crate) struct Arguments {
    /// A tenth of the work in 3 rounds, to see that it runs
    #[arg(long)]
    quick: bool,
    /// How many rounds are measured; 7 unless told, and more of what is short
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pairs: Option<u32>,
    /// Fail if a figure is below its floor in bench/floors.toml, or well below what it is missed at there
    #[arg(long, conflicts_with = "quick")]
    check: bool,
    /// The address of the engine for live work, a unix socket
    #[arg(long, value_name = "HOST")]
    engine: Option<String>,
    /// What to measure; everything if nothing is named
    works: Vec<Work>,
}

impl Arguments {
    fn works(&self) -> Vec<Work> {
        let all = <Work as clap::ValueEnum>::value_variants();
        if self.works.is_empty() { all.to_vec() } else { self.works.clone() }
    }

    fn rounds(&self, work: Work) -> usize {
        let unless_told = if self.quick { 3 } else { work.rounds() };
        self.pairs.map_or(unless_told, |pairs| pairs as usize)
    }

    /// Whether this is a run whose results are worth keeping.
    fn is_whole(&self) -> bool {
        self.works.is_empty() && !self.quick && self.pairs.is_none()
    }

    /// The command that a person types for this.
    fn command(&self) -> String {
        let mut words = vec!["cargo xtask bench".to_owned()];
        words.extend(self.quick.then(|| "--quick".to_owned()));
        words.extend(self.pairs.map(|pairs| format!("--pairs {pairs}")));
        words.extend(self.check.then(|| "--check".to_owned()));
        words.extend(self.works.iter().map(|work| work.name()));
        words.join(" ")
    }
}

/// Measures everything that was asked for, and removes what it has made whatever happens.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let is_live = arguments.works().into_iter().any(Work::is_live);
        let engine = match &arguments.engine {
            Some(host) if is_live => Some(Engine::new(host)?),
            None if is_live => return Err("live work needs an engine: --engine unix:///var/run/docker.sock".into()),
            _ => None,
        };
        let outcome = tokio::select! {
            outcome = measure_all(arguments, engine.as_ref()) => outcome,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        };
        let cleaned = match &engine {
            Some(engine) => engine.clean_up().await,
            None => Ok(()),
        };
        outcome.and(cleaned)
    })
}

/// How long a client may take for a sample. It hangs then.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often a client is asked that hangs.
const TRIES: usize = 3;

async fn measure_all(arguments: &Arguments, engine: Option<&Engine>) -> Result<()> {
    let floors = Floors::read()?;
    let python = Python::prepare();
    let mut results = machine::describe(&arguments.command(), engine, &python).await?;
    println!("{results}");
    let mut judged = Vec::new();
    for work in arguments.works() {
        let amount = work.amount(arguments.quick);
        let stage = Stage::set(work, amount, engine, python.as_ref().ok()).await?;
        let mut rounds = Rounds::new(work, amount, stage.clients());
        if work != Work::Build {
            // What is only slow the first time is not measured; a build always is.
            stage.round(0).await?;
        }
        stage.add_rounds(&mut rounds, arguments.rounds(work)).await?;
        // Whatever else the machine was doing then is given time to pass. All rounds count, the bad ones too.
        for _ in 0..2 {
            if arguments.check && floors.judge(&rounds).iter().any(|judgement| !judgement.is_kept) {
                stage.add_rounds(&mut rounds, arguments.rounds(work)).await?;
            }
        }
        let section = report::section(&rounds) + &report::hangs(&stage.hangs.take(), PATIENCE);
        println!("{section}");
        results += &format!("\n{section}");
        judged.extend(floors.judge(&rounds));
    }
    if !arguments.quick {
        let section = report::floors(&judged);
        println!("{section}");
        results += &format!("\n{section}");
    }
    if arguments.is_whole() {
        std::fs::write(RESULTS, results)?;
        println!("written to bench/RESULTS.md");
    }
    match judged.iter().filter(|judgement| !judgement.is_kept).count() {
        missed if arguments.check && missed > 0 => Err(format!("{missed} figures are below what is kept").into()),
        _ => Ok(()),
    }
}

/// What a work is done with, made once for all its rounds.
struct Stage<'a> {
    work: Work,
    amount: usize,
    engine: Option<&'a Engine>,
    python: Option<&'a Python>,
    replay: Option<Replay>,
    container: String,
    /// Who did not come to an end, each time.
    hangs: RefCell<Vec<Client>>,
}

impl<'a> Stage<'a> {
    async fn set(work: Work, amount: usize, engine: Option<&'a Engine>, python: Option<&'a Python>) -> Result<Self> {
        let (replay, container) = match engine {
            Some(engine) if work.is_live() => (None, engine.set(work, amount).await?),
            _ if work.is_replayed() => (Some(Replay::start(work, amount)?), CONTAINER.to_owned()),
            _ => (None, String::new()),
        };
        Ok(Stage { work, amount, engine, python, replay, container, hangs: RefCell::default() })
    }

    async fn add_rounds(&self, rounds: &mut Rounds, count: usize) -> Result<()> {
        let watched = std::io::stderr().is_terminal();
        for number in 1..=count {
            if watched {
                eprint!("\r{}: round {number} of {count}", self.work.name());
            }
            rounds.push(self.round(rounds.len()).await?);
        }
        if watched {
            eprint!("\r\x1b[K");
        }
        Ok(())
    }

    /// Who does the work here.
    fn clients(&self) -> Vec<Client> {
        let all = self.work.clients().iter().copied();
        all.filter(|client| !client.is_python() || self.python.is_some()).collect()
    }

    /// A sample of each client, one after the other. Another one begins each time: what a client does leaves the engine
    /// and the machine in a state that the next one has to do with.
    async fn round(&self, number: usize) -> Result<Vec<Sample>> {
        let (mut clients, mut samples) = (self.clients(), Vec::new());
        let turn = number % clients.len();
        clients.rotate_left(turn);
        for client in clients {
            samples.push(self.sample(client).await?);
        }
        // Everybody knows the place of a sample by that of its client.
        samples.rotate_right(turn);
        Ok(samples)
    }

    /// A sample of one client. Another client than longshore that hangs is asked again, which the results tell.
    async fn sample(&self, client: Client) -> Result<Sample> {
        if self.work == Work::Build {
            return build(client);
        }
        for _ in 0..TRIES {
            match tokio::time::timeout(PATIENCE, self.run(client)).await {
                Ok(sample) => return sample,
                Err(_) if client == Client::Longshore => break,
                Err(_) => self.hangs.borrow_mut().push(client),
            }
        }
        Err(format!("{} does not end at {}", client.name(), self.work.name()).into())
    }

    async fn run(&self, client: Client) -> Result<Sample> {
        let Stage { work, amount, .. } = *self;
        let task = Task { work, client, socket: self.socket()?, amount, container: self.container.clone() };
        let mut command = match self.python {
            Some(python) if client.is_python() => python.command(client),
            _ => tokio::process::Command::new(std::env::current_exe()?.with_file_name(client.program())),
        };
        let output = command.args(task.arguments()?).stderr(Stdio::inherit()).kill_on_drop(true).output().await?;
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout)?),
            false => Err(format!("{} failed at {}", client.name(), self.work.name()).into()),
        }
    }

    fn socket(&self) -> Result<PathBuf> {
        let replay = self.replay.as_ref().map(|replay| replay.socket.clone());
        let socket = replay.or_else(|| self.engine.map(|engine| engine.socket.clone()));
        Ok(socket.ok_or("live work needs an engine")?)
    }
}
