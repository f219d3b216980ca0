//! Runs every test on every engine, and removes what it made.

use std::any::Any;
use std::collections::BTreeSet;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use longshore_testkit::live::{self, Live, LiveEngine, Run};
use tokio::runtime::{Handle, Runtime};

use crate::exceptions::{EXCEPTIONS, Exception};
use crate::journal::{self, Journal};
use crate::races;

/// How long a test may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How many tests run at a time: they mostly wait for their engine, which more of them would only make slower.
const AT_A_TIME: usize = 6;

/// What a test gives: an error fails it, as a panic does.
pub(crate) type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Lines for the end of the run: why tests were excused or run again.
type Told = Arc<Mutex<BTreeSet<String>>>;

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Where a test runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// On every engine that is not there for swarms.
    Engine,
    /// On every engine that is, as one of many tests of its swarm.
    Swarm,
    /// There too, but alone: it may end the swarm.
    WholeSwarm,
    /// On the engine that may be killed, alone.
    Restarts,
}

impl Ground {
    fn is_on(self, engine: &LiveEngine) -> bool {
        match self {
            Ground::Engine => !engine.is_for_swarms() && !engine.is_for_restarts(),
            Ground::Swarm | Ground::WholeSwarm => engine.is_for_swarms(),
            Ground::Restarts => engine.is_for_restarts(),
        }
    }
}

/// A test that runs on every engine of its kind.
#[derive(Clone)]
pub(crate) struct Test {
    name: String,
    ground: Ground,
    deadline: Duration,
    run: Arc<dyn Fn(Live) -> Running + Send + Sync>,
}

/// What the names of tests begin with that change images. Podman 4 loses names of images, and leaves images behind, when
/// several do so at a time.
const OF_IMAGES: [&str; 11] = [
    "build::",
    "build_folder::",
    "commit::",
    "credentials::",
    "guards::",
    "health::",
    "images::",
    "login::",
    "memory::",
    "registry::",
    "save::",
];

impl Test {
    fn changes_images(&self) -> bool {
        OF_IMAGES.iter().any(|beginning| self.name.starts_with(beginning)) || self.name.ends_with("an_image_is_built")
    }
}

/// The test that a function makes; its name is that of the module and the function.
pub(crate) fn test<F, R>(function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    test_within(DEADLINE, function)
}

/// A test that may take longer than others.
pub(crate) fn test_within<F, R>(deadline: Duration, function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    test_on(Ground::Engine, deadline, function)
}

/// A test that is one of several of the same function, with a name of its own.
pub(crate) fn test_named<F, R>(name: &str, deadline: Duration, function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let run: Arc<dyn Fn(Live) -> Running + Send + Sync> = Arc::new(move |live| Box::pin(function(live)));
    Test { name: name.to_owned(), ground: Ground::Engine, deadline, run }
}

/// A test of what a swarm has, or of its services.
pub(crate) fn swarm_test<F, R>(function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    test_on(Ground::Swarm, DEADLINE, function)
}

/// A test that begins or ends a swarm: no other test of the engine's swarm runs at the same time.
pub(crate) fn whole_swarm_test<F, R>(function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    test_on(Ground::WholeSwarm, DEADLINE, function)
}

/// A test that kills its engine.
pub(crate) fn restart_test<F, R>(function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    test_on(Ground::Restarts, 3 * DEADLINE, function)
}

fn test_on<F, R>(ground: Ground, deadline: Duration, function: F) -> Test
where
    F: Fn(Live) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    let name = std::any::type_name::<F>();
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    Test { ground, ..test_named(name, deadline, function) }
}

/// Runs the tests on all engines.
pub(crate) fn main(tests: Vec<Test>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    match run(&arguments, tests) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: the live tests can't run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, tests: Vec<Test>) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = Runtime::new()?;
    tracing::subscriber::set_global_default(journal::Recorder)?;
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !journal::note_panic(panic) {
            default_hook(panic);
        }
    }));
    check_exceptions(&tests)?;
    let engines = runtime.block_on(connect(live::engines()?))?;
    let run = Run::begin();
    let told = Told::default();
    let trials = trials(&tests, &engines, &run, runtime.handle(), &told);
    let listed = arguments.list;
    if !listed {
        announce(&engines);
        for engine in &engines {
            for thing in runtime.block_on(Run::reap_stale(engine))? {
                println!("{}: removed what an earlier run had left: {thing}", engine.name());
            }
        }
    }
    let conclusion = libtest_mimic::run(arguments, trials);
    longshore_testkit::registry::end();
    if listed {
        return Ok(conclusion.exit_code());
    }
    for line in told.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("{line}");
    }
    let mut clean = true;
    for engine in &engines {
        for thing in runtime.block_on(run.reap(engine))? {
            clean = false;
            eprintln!("error: {}: the tests left behind: {thing}", engine.name());
        }
    }
    Ok(if clean { conclusion.exit_code() } else { ExitCode::FAILURE })
}

async fn connect(list: Vec<(String, String)>) -> Result<Vec<Arc<LiveEngine>>, Box<dyn Error>> {
    let mut engines = Vec::new();
    for (name, host) in list {
        let engine = LiveEngine::connect(&name, &host).await;
        engines.push(Arc::new(engine.map_err(|error| format!("engine {name} at {host}: {error}"))?));
    }
    Ok(engines)
}

/// Says on which engines the tests run, and which usual one is missing.
fn announce(engines: &[Arc<LiveEngine>]) {
    for engine in engines {
        let kind = if engine.is_podman() { "Podman" } else { "Docker" };
        println!("{}: {kind}, API {}, {}", engine.name(), engine.api(), engine.host());
    }
    let names: BTreeSet<&str> = engines.iter().map(|engine| engine.name()).collect();
    let usual = [
        "docker-20.10",
        "docker-26.1",
        "docker-sid",
        "podman",
        "swarm-20.10",
        "swarm-26.1",
        "swarm-sid",
        "restart-26.1",
        "restart-sid",
    ];
    if usual.iter().any(|name| names.contains(name)) {
        for name in usual.iter().filter(|name| !names.contains(*name)) {
            eprintln!("WARNING: {name} IS NOT AMONG THE ENGINES: NOTHING IS TESTED ON IT");
        }
    }
}

/// Every test on every engine of its kind; neighbours are on different engines, so that all engines work at a time.
///
/// What tests were excused by is told in `told`.
fn trials(tests: &[Test], engines: &[Arc<LiveEngine>], run: &Arc<Run>, runtime: &Handle, told: &Told) -> Vec<Trial> {
    let mut trials = Vec::new();
    for test in tests {
        for engine in engines.iter().filter(|engine| test.ground.is_on(engine)) {
            let exception = EXCEPTIONS.iter().find(|exception| exception.concerns(engine, &test.name));
            let (test, live) = (test.clone(), Live::new(engine.clone(), run.clone(), &test.name));
            let name = format!("{}::{}", engine.name(), test.name);
            let (runtime, told) = (runtime.clone(), told.clone());
            let trial = Trial::test(name, move || {
                runtime.block_on(run_test(test, live.clone(), exception, &told))?;
                if let Some(exception) = exception {
                    tell(&told, format!("refused by {}: {exception}", live.engine().name()));
                }
                Ok(())
            });
            trials.push(match exception {
                Some(_) => trial.with_kind("refused"),
                None => trial,
            });
        }
    }
    trials
}

/// Runs a test, again if a race inside the engine ended it; what it is excused by and why it ran again are told in `told`.
async fn run_test(test: Test, live: Live, exception: Option<&'static Exception>, told: &Told) -> Result<(), Failed> {
    let engine = live.engine();
    for _ in 1..races::ATTEMPTS {
        let Err(failure) = run_once(&test, &live, exception).await else { return Ok(()) };
        let Some(reason) = races::why_again(engine, &failure) else { return Err(failure.into()) };
        tell(told, format!("run again on {}: {}: {reason}", engine.name(), test.name));
    }
    Ok(run_once(&test, &live, exception).await?)
}

async fn run_once(test: &Test, live: &Live, exception: Option<&'static Exception>) -> Result<(), String> {
    let engine = live.engine();
    let (_shared, _alone) = match test.ground {
        Ground::Engine if engine.is_podman() && test.changes_images() => (None, Some(engine.alone().await)),
        Ground::Engine => (None, None),
        Ground::Swarm => (Some(engine.share_swarm().await.map_err(|error| error.to_string())?), None),
        Ground::WholeSwarm | Ground::Restarts => (None, Some(engine.alone().await)),
    };
    let journal = Journal::default();
    let mut task = tokio::spawn(journal.clone().keep((test.run)(live.clone())));
    let outcome = match tokio::time::timeout(test.deadline, &mut task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panicked)) => Err(panic_message(panicked.try_into_panic().ok()).into()),
        Err(_) => {
            task.abort();
            Err(format!("it hangs: no end within {:?}", test.deadline).into())
        }
    };
    let verdict = match exception {
        Some(exception) => exception.check(outcome),
        None => outcome.map_err(|error| error.to_string()),
    };
    let verdict = verdict.map_err(|error| format!("{error}\nits last steps:{}", journal.tell()));
    match tokio::time::timeout(DEADLINE, live.clean_up()).await {
        Ok(Ok(())) => verdict,
        Ok(Err(error)) => Err(format!("what it made can't be removed: {error}; {verdict:?}")),
        Err(_) => Err(format!("what it made can't be removed within {DEADLINE:?}; {verdict:?}")),
    }
}

fn tell(told: &Told, line: String) {
    told.lock().unwrap_or_else(PoisonError::into_inner).insert(line);
}

fn panic_message(panic: Option<Box<dyn Any + Send>>) -> String {
    let text = panic.as_ref().and_then(|panic| {
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str))
    });
    format!("panicked: {}", text.unwrap_or("it was cancelled"))
}

/// An exception for a test that does not exist excuses nothing.
fn check_exceptions(tests: &[Test]) -> Result<(), String> {
    match EXCEPTIONS.iter().find(|exception| !tests.iter().any(|test| exception.names(&test.name))) {
        Some(exception) => Err(format!("there is an exception for a test that does not exist: {exception}")),
        None => Ok(()),
    }
}
