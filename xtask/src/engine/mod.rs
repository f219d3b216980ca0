//! `cargo xtask engine`: real engines, private to this checkout.
//!
//! `up` makes what is missing: an unpacked root in the user's cache (`install`), a state folder and a cgroup, and the
//! engine itself in namespaces of its own (`start`), with the image `busybox:latest` in it (`busybox`). Nothing of the
//! system is touched: no package is installed, no engine of the system is spoken to, no interface, mount or firewall
//! rule is made outside the engine's namespaces. `down` ends every process of the engine's cgroup, and all the rest
//! ends with them.
//!
//! The engines have a network of their own without a way out: ports are published on the engine's `127.0.0.1`, which
//! is not that of the machine. On a machine that withholds capabilities from root, Docker 20.10 refuses privileged
//! containers (newer ones ask only for what there is), and Podman refuses a container that names only some of the limits
//! `nofile` and `nproc`. Podman has no systemd here, so its health checks never run.

mod apt;
pub(crate) mod busybox;
mod catalog;
mod cgroup;
mod command;
mod http;
mod install;
mod requirements;
mod sources;
mod start;
mod state;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

pub(crate) use catalog::{Engine, Program};
pub(crate) use state::Running;

use crate::error::{Error, Result};

/// `cargo xtask engine …`
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Start engines, installing them first where they are missing
    Up(Names),
    /// Stop engines and remove everything of them but the installed root
    Down(Names),
    /// Show the engines: installed or not, running or not, and where
    List(Names),
    /// Print the variables that name running engines, for `eval`
    ///
    /// With a name: DOCKER_HOST. Without: LONGSHORE_TEST_ENGINES, for the tests.
    Env {
        /// The engine
        name: Option<Engine>,
    },
    /// Print the path of a program that tests need; it is installed first where it is missing
    Program {
        /// The program
        name: Program,
    },
    /// Print the path of the ssh server's root, for the tests; it is installed first where it is missing
    Ssh,
}

#[derive(Args)]
struct Names {
    /// The engines; all of them if none is named
    names: Vec<Engine>,
}

impl Names {
    fn engines(&self) -> Vec<Engine> {
        if self.names.is_empty() { Engine::ALL.to_vec() } else { self.names.clone() }
    }
}

/// Runs `cargo xtask engine`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.verb {
        Verb::Up(names) => {
            if names.names.is_empty() {
                up_all().map(drop)
            } else {
                up(&names.names).map(drop)
            }
        }
        Verb::Down(names) => down(&names.engines()),
        Verb::List(names) => {
            list(&names.engines());
            Ok(())
        }
        Verb::Env { name } => {
            println!("{}", environment(*name)?);
            Ok(())
        }
        Verb::Program { name } => {
            println!("{}", program(*name)?.display());
            Ok(())
        }
        Verb::Ssh => {
            println!("{}", ssh()?.display());
            Ok(())
        }
    }
}

/// Starts the engines, side by side, and prints a line for each; fails if one of them cannot be had.
pub(crate) fn up(engines: &[Engine]) -> Result<Vec<Running>> {
    start_each(engines, |_| true)
}

/// Starts all engines, as [`up`] does, but only warns where one that is not required cannot be had.
pub(crate) fn up_all() -> Result<Vec<Running>> {
    start_each(&Engine::ALL, Engine::is_required)
}

/// Stops the engines, side by side, and prints a line for each.
pub(crate) fn down(engines: &[Engine]) -> Result<()> {
    let mut failures = Failures::default();
    for (engine, outcome, _) in side_by_side(engines, start::down) {
        match outcome {
            Ok(()) => println!("{engine:<13} down"),
            Err(error) => failures.add(engine, &error),
        }
    }
    // Other engines may still be there; then the folder stays.
    let _ = std::fs::remove_dir(state::engines_folder());
    failures.result("stop")
}

/// The engines of this checkout that run, oldest first.
pub(crate) fn running() -> Vec<Running> {
    Engine::ALL.into_iter().filter_map(start::running).collect()
}

/// A program that tests need, installed first if need be.
pub(crate) fn program(program: Program) -> Result<PathBuf> {
    if install::installed(program.root()).is_none() {
        requirements::check_program(program)?;
    }
    Ok(install::ensure(program.root())?.join(install::LAUNCHER))
}

/// The root of the machine that tests reach over ssh, installed first if need be.
pub(crate) fn ssh() -> Result<PathBuf> {
    if install::installed(catalog::SSH).is_none() {
        requirements::check_ssh()?;
    }
    install::ensure(catalog::SSH)
}

fn start_each(engines: &[Engine], required: impl Fn(Engine) -> bool) -> Result<Vec<Running>> {
    let (mut started, mut failures) = (Vec::new(), Failures::default());
    for (engine, outcome, took) in side_by_side(engines, start::up) {
        match outcome {
            Ok(running) => {
                let Running { version, api_version, host, .. } = &running;
                let took = took.as_secs_f64();
                println!("{engine:<13} {version:<17} API {api_version:<5} {host} ({took:.1} s)");
                started.push(running);
            }
            Err(error) => failures.add(engine, &error),
        }
    }
    let warnings = failures.split_off(|engine| !required(engine));
    for (engines, why) in warnings.0 {
        eprintln!("WARNING: going on WITHOUT {}: {why}", names(&engines));
    }
    failures.result("start")?;
    Ok(started)
}

/// What went wrong, and with which engines: the same trouble mostly meets them all, and is told once.
#[derive(Default)]
struct Failures(Vec<(Vec<Engine>, String)>);

impl Failures {
    fn add(&mut self, engine: Engine, error: &Error) {
        let why = error.to_string();
        match self.0.iter_mut().find(|(_, other)| *other == why) {
            Some((engines, _)) => engines.push(engine),
            None => self.0.push((vec![engine], why)),
        }
    }

    /// Takes out the failures that met only engines of a kind.
    fn split_off(&mut self, is_of_kind: impl Fn(Engine) -> bool) -> Self {
        Self(self.0.extract_if(.., |(engines, _)| engines.iter().all(|engine| is_of_kind(*engine))).collect())
    }

    fn result(self, verb: &str) -> Result<()> {
        let texts = self.0.iter().map(|(engines, why)| format!("{verb} {}: {why}", names(engines)));
        let texts: Vec<String> = texts.collect();
        if texts.is_empty() { Ok(()) } else { Err(Error::new(texts.join("\nerror: "))) }
    }
}

fn names(engines: &[Engine]) -> String {
    engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join(", ")
}

/// Does the same to several engines at a time; the outcomes come in the order of the engines.
fn side_by_side<T: Send>(
    engines: &[Engine],
    act: impl Fn(Engine) -> Result<T> + Sync,
) -> Vec<(Engine, Result<T>, Duration)> {
    let mut engines = engines.to_vec();
    engines.sort();
    engines.dedup();
    let act = &act;
    std::thread::scope(|scope| {
        let threads: Vec<_> = engines
            .into_iter()
            .map(|engine| {
                let thread = scope.spawn(move || {
                    let began = Instant::now();
                    (act(engine), began.elapsed())
                });
                (engine, thread)
            })
            .collect();
        threads
            .into_iter()
            .map(|(engine, thread)| {
                let panicked = |_| (Err(Error::new("its thread has panicked")), Duration::ZERO);
                let (outcome, took) = thread.join().unwrap_or_else(panicked);
                (engine, outcome, took)
            })
            .collect()
    })
}

fn list(engines: &[Engine]) {
    println!("{:<13} {:<10} {:<8} {:<17} {:<5} SOCKET", "ENGINE", "INSTALLED", "RUNNING", "VERSION", "API");
    let yes_or_no = |yes| if yes { "yes" } else { "no" };
    for engine in engines {
        let running = start::running(*engine);
        let running = running.as_ref();
        let (version, api, socket) = running.map_or(("-", "-", "-".into()), |running| {
            (running.version.as_str(), running.api_version.as_str(), running.socket.to_string_lossy())
        });
        println!(
            "{engine:<13} {:<10} {:<8} {version:<17} {api:<5} {socket}",
            yes_or_no(install::installed(engine.root()).is_some()),
            yes_or_no(running.is_some()),
        );
    }
}

fn environment(engine: Option<Engine>) -> Result<String> {
    if let Some(engine) = engine {
        let running = start::running(engine)
            .ok_or_else(|| Error::new(format!("{engine} does not run; start it: cargo xtask engine up {engine}")))?;
        return Ok(format!("export DOCKER_HOST={}", quoted(&running.host)));
    }
    let engines: Vec<String> = running().iter().map(|running| format!("{}={}", running.name, running.host)).collect();
    if engines.is_empty() {
        return Err(Error::new("no engine runs; start them: cargo xtask engine up"));
    }
    Ok(format!("export LONGSHORE_TEST_ENGINES={}", quoted(&engines.join(","))))
}

/// Quotes a word for the shell where it needs it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:=,.-_".contains(&byte);
    if word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(words: &[&str]) -> std::result::Result<Verb, clap::Error> {
        let line = CommandLine::try_parse_from(["engine"].iter().chain(words))?;
        Ok(line.arguments.verb)
    }

    #[test]
    fn no_name_means_all_engines() {
        let Ok(Verb::Up(names)) = parse(&["up"]) else { panic!("up") };
        assert_eq!(names.engines(), Engine::ALL);
        let Ok(Verb::Down(names)) = parse(&["down", "podman", "docker-20.10"]) else { panic!("down") };
        assert_eq!(names.engines(), [Engine::Podman, Engine::Docker20]);
        assert!(matches!(parse(&["program", "registry"]), Ok(Verb::Program { name: Program::Registry })));
        assert!(parse(&["program", "nginx"]).is_err());
        assert!(matches!(parse(&["ssh"]), Ok(Verb::Ssh)));
        assert!(matches!(parse(&["env", "docker-sid"]), Ok(Verb::Env { name: Some(Engine::DockerSid) })));
        assert!(parse(&["up", "docker"]).is_err());
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn outcomes_come_in_order_and_once() {
        let outcomes = side_by_side(&[Engine::Podman, Engine::Docker20, Engine::Podman], |engine| {
            if engine == Engine::Podman { Err(Error::new("no")) } else { Ok(engine.name()) }
        });
        let seen: Vec<_> = outcomes.iter().map(|(engine, outcome, _)| (*engine, outcome.is_ok())).collect();
        assert_eq!(seen, [(Engine::Docker20, true), (Engine::Podman, false)]);
    }

    #[test]
    fn the_same_trouble_is_told_once() {
        let mut failures = Failures::default();
        for (engine, why) in
            [(Engine::Docker20, "not root"), (Engine::DockerSid, "no package"), (Engine::Podman, "not root")]
        {
            failures.add(engine, &Error::new(why));
        }
        let warnings = failures.split_off(|engine| !engine.is_required());
        assert_eq!(warnings.0, [(vec![Engine::DockerSid], "no package".to_owned())]);
        let error = failures.result("start").unwrap_err();
        assert_eq!(error.to_string(), "start docker-20.10, podman: not root");
        assert!(Failures::default().result("stop").is_ok());
    }

    #[test]
    fn words_survive_the_shell() {
        let word = "unix:///it's a $HOME/engine.sock";
        let echoed =
            command::output(std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]));
        assert_eq!(echoed.unwrap(), word);
    }
}
