//! The credentials that the user has stored, shown to a registry that wants some.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use longshore::image::{BuildContext, BuildOptions, PullOptions};
use longshore::models::{TaskInspect, TaskState};
use longshore::swarm::{ServiceCreateOptions, TaskListOptions};
use longshore::{
    ConnectOptions, Deadlines, DistributionOptions, Docker, Environment, ErrorKind, Image, RegistryAuth, Result, Spec,
};
use longshore_testkit::live::{IMAGE, Live};
use longshore_testkit::pass::{Pass, Prompt};
use longshore_testkit::registry::{Door, PASSWORD, USERNAME};
use serde_json::{Value, json};

use crate::harness::{Outcome, Test, swarm_test, test_within};
use crate::support::{Entry, refused, tar, until};

pub(crate) fn tests() -> Vec<Test> {
    // The first of them may have to install the programs that it needs.
    let patient = Duration::from_secs(180);
    vec![
        test_within(patient, those_of_the_file_are_shown_by_all_that_pulls_and_pushes),
        test_within(patient, those_of_a_helper_are_shown),
        test_within(patient, those_of_a_real_helper_are_shown),
        test_within(patient, a_real_helper_that_asks_for_a_passphrase_is_an_error),
        test_within(patient, a_wrong_password_is_refused),
        test_within(patient, a_helper_that_fails_is_an_error_before_anything_is_asked),
        test_within(patient, an_image_is_looked_up_with_them),
        swarm_test(nodes_pull_with_them),
    ]
}

/// A folder of a user's, with a `config.json`. It goes when this is dropped.
struct Home(PathBuf);

impl Home {
    fn new(live: &Live, config: &Value) -> std::io::Result<Self> {
        let home = Home(std::env::temp_dir().join(live.name()));
        std::fs::create_dir(&home.0)?;
        home.write(config)?;
        Ok(home)
    }

    fn write(&self, config: &Value) -> std::io::Result<()> {
        std::fs::write(self.0.join("config.json"), config.to_string())
    }

    /// Makes a helper. A process of its own writes it, so that no other inherits the open file.
    fn helper(&self, name: &str, script: &str) -> Outcome {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(self.0.join(format!("docker-credential-{name}")));
        let mut shell = shell.stdin(Stdio::piped()).spawn()?;
        let script = format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n");
        shell.stdin.take().ok_or("no stdin")?.write_all(script.as_bytes())?;
        assert!(shell.wait()?.success());
        Ok(())
    }

    fn docker(&self, live: &Live) -> Result<Docker> {
        let folder = self.0.display().to_string();
        docker(live, Environment::default().variable("DOCKER_CONFIG", &folder).variable("PATH", folder))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What is left in the folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client of a user's with these surroundings.
fn docker(live: &Live, environment: Environment) -> Result<Docker> {
    Docker::connect_with(&ConnectOptions::default().host(live.engine().host()).environment(environment))
}

fn entry(password: &str) -> Value {
    json!({ "username": USERNAME, "password": password })
}

/// Gives [`IMAGE`] a name in the registry behind the door.
async fn image(live: &Live, door: &Door) -> Result<Image> {
    let name = format!("{}/{}:v1", door.address(), live.image_name());
    live.image(IMAGE).tag(&name).await?;
    live.keep(&name);
    Ok(live.image(name))
}

/// Pushes the image with the user's credentials, and pulls it again by itself, for a container and for a build.
async fn check(live: &Live, docker: &Docker, image: &Image) -> Outcome {
    let name = image.name();
    docker.image(name).push().await?.finish().await?;
    image.remove().await?;
    let anonymous = PullOptions::default().auth(RegistryAuth::anonymous());
    let pull = async |options: &PullOptions| docker.images().pull_with(name, options).await?.finish().await;
    refused(pull(&anonymous).await, &[ErrorKind::Unauthorized]);
    pull(&PullOptions::default()).await?.inspect().await?;
    image.remove().await?;
    let out = docker.containers().output(live.labelled(Spec::image(name)).network("host").cmd(["echo", "hi"])).await?;
    assert!(out.stdout == "hi\n", "{out:?}");
    image.remove().await?;
    let built = docker.images().build_with(from(name), &live.build_options().pull()).await?.finish().await?;
    built.inspect().await?;
    image.inspect().await?;
    image.remove().await?;
    let options = live.build_options().pull().anonymous();
    assert!(build(docker, name, &options).await.is_err(), "somebody has shown credentials");
    Ok(())
}

/// A build that needs nothing but the image.
fn from(name: &str) -> BuildContext {
    BuildContext::tar(tar(&[Entry::file("Dockerfile", format!("FROM {name}\n").as_bytes())]))
}

async fn build(docker: &Docker, name: &str, options: &BuildOptions) -> Result<Image> {
    docker.images().build_with(from(name), options).await?.finish().await
}

async fn those_of_the_file_are_shown_by_all_that_pulls_and_pushes(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door).await?;
    let home = Home::new(&live, &json!({}))?;
    let docker = home.docker(&live)?;
    refused(docker.image(image.name()).push().await?.finish().await, &[ErrorKind::Unauthorized]);
    // The same client has them as soon as the user has logged in.
    home.write(&json!({ "auths": { format!("http://{}/v1/", door.address()): entry(PASSWORD) } }))?;
    assert_eq!(docker.registry_auth(&door.address()).await?.ok_or("none")?.username.as_deref(), Some(USERNAME));
    check(&live, &docker, &image).await
}

async fn those_of_a_helper_are_shown(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door).await?;
    let home = Home::new(&live, &json!({ "credHelpers": { door.address(): "own" }, "credsStore": "general" }))?;
    let answer = json!({ "ServerURL": door.address(), "Username": USERNAME, "Secret": PASSWORD });
    home.helper("own", &format!("[ $1 = get ] && [ \"$(cat)\" = {} ] && echo '{answer}'", door.address()))?;
    home.helper(
        "general",
        "[ $1 = list ] && echo '{}' && exit; echo credentials not found in native keychain; exit 1",
    )?;
    check(&live, &home.docker(&live)?, &image).await
}

async fn those_of_a_real_helper_are_shown(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door).await?;
    let pass = Pass::new(Prompt::Never).await?;
    let docker = docker(&live, pass.environment())?;
    // Without a config.json it is found as the one that everybody has.
    assert_eq!(docker.registry_auth(&door.address()).await?, None);
    pass.store(&door.address(), USERNAME, PASSWORD)?;
    check(&live, &docker, &image).await?;
    std::fs::write(pass.folder().join("config.json"), json!({ "credsStore": "pass" }).to_string())?;
    let auth = docker.image(image.name()).registry_auth().await?.ok_or("none")?;
    assert_eq!((auth.username.as_deref(), auth.password.as_deref()), (Some(USERNAME), Some(PASSWORD)));
    pass.store("token.example", "<token>", "t")?;
    let auth = docker.registry_auth("token.example").await?.ok_or("none")?;
    assert_eq!((&auth.username, auth.identity_token.as_deref()), (&None, Some("t")));
    Ok(())
}

async fn a_real_helper_that_asks_for_a_passphrase_is_an_error(live: Live) -> Outcome {
    let limit = Duration::from_secs(6);
    for (prompt, kind) in [(Prompt::Waits, ErrorKind::Timeout), (Prompt::Fails, ErrorKind::Config)] {
        let pass = Pass::new(prompt).await?;
        pass.store("registry.example", USERNAME, PASSWORD)?;
        let docker = docker(&live, pass.environment())?.with_deadlines(Deadlines::default().credentials(limit));
        let start = std::time::Instant::now();
        let error = refused(docker.images().pull("registry.example/a").await, &[kind]);
        assert!(start.elapsed() < limit * 3, "{:?}", start.elapsed());
        let text = format!("{error} {error:?}");
        assert!(text.contains("the credential helper `docker-credential-pass`") && !text.contains(PASSWORD), "{text}");
    }
    Ok(())
}

async fn a_wrong_password_is_refused(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let home = Home::new(&live, &json!({ "auths": { door.address(): entry("s3cret") } }))?;
    refuses(&live, &door, &home, "the credentials were those of config.json").await?;
    let home = Home::new(&live, &json!({ "credHelpers": { door.address(): "x" } }))?;
    let answer = json!({ "ServerURL": door.address(), "Username": USERNAME, "Secret": "s3cret" });
    home.helper("x", &format!("echo '{answer}'"))?;
    refuses(&live, &door, &home, "the credentials were those of the credential helper `docker-credential-x`").await
}

/// Checks that a registry refuses the credentials, and that errors tell where they were found but not what they are.
async fn refuses(live: &Live, door: &Door, home: &Home, origin: &str) -> Outcome {
    let image = image(live, door).await?;
    let docker = home.docker(live)?;
    let name = image.name();
    let mut errors = vec![refused(docker.image(name).push().await?.finish().await, &[ErrorKind::Unauthorized])];
    image.remove().await?;
    let pull = async { docker.images().pull(name).await?.finish().await };
    errors.push(refused(pull.await, &[ErrorKind::Unauthorized]));
    let run = docker.containers().output(live.labelled(Spec::image(name))).await;
    errors.push(refused(run, &[ErrorKind::Unauthorized]));
    for error in &errors {
        assert!(error.to_string().contains(origin), "{error}");
    }
    errors.push(build(&docker, name, &live.build_options().pull()).await.err().ok_or("it was built")?);
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
    Ok(())
}

async fn a_helper_that_fails_is_an_error_before_anything_is_asked(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door).await?;
    let home = Home::new(&live, &json!({ "credsStore": "x" }))?;
    let docker = home.docker(&live)?.with_deadlines(Deadlines::default().credentials(Duration::from_secs(2)));
    for (script, kind) in [
        ("echo s3cret; exit 1", ErrorKind::Config),
        ("echo s3cret", ErrorKind::Config),
        ("kill -KILL $$", ErrorKind::Config),
        ("echo s3cret; sleep 1000", ErrorKind::Timeout),
    ] {
        home.helper("x", script)?;
        let opened = door.opened();
        let pull = docker.images().pull(image.name()).await;
        let push = docker.image(image.name()).push().await;
        for error in [refused(pull, &[kind]), refused(push, &[kind])] {
            let text = format!("{error} {error:?}");
            assert!(text.contains("the credential helper `docker-credential-x`") && !text.contains("s3cret"), "{text}");
        }
        assert_eq!(door.opened(), opened);
        // A build may not need any, and tells of it where it does.
        build(&docker, IMAGE, &live.build_options()).await?;
        let missing = format!("{}/{}:v1", door.address(), live.image_name());
        let error = build(&docker, &missing, &live.build_options().pull()).await.err().ok_or("it was built")?;
        let text = format!("{error} {error:?}");
        assert!(text.contains("the credential helper `docker-credential-x`") && !text.contains("s3cret"), "{text}");
    }
    Ok(())
}

async fn an_image_is_looked_up_with_them(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door).await?;
    let home = Home::new(&live, &json!({ "auths": { door.address(): entry(PASSWORD) } }))?;
    let docker = home.docker(&live)?;
    let pushed = docker.image(image.name()).push().await?.finish().await?;
    let found = docker.image(image.name()).inspect_distribution().await?;
    assert_eq!(found.descriptor.digest, pushed.digest);
    let anonymous = DistributionOptions::default().auth(RegistryAuth::anonymous());
    refused(docker.image(image.name()).inspect_distribution_with(&anonymous).await, &[ErrorKind::Unauthorized]);
    Ok(())
}

/// Waits until the newest task of a service has one of these states.
async fn task(live: &Live, service: &str, states: &[TaskState]) -> Result<TaskInspect> {
    let options = TaskListOptions::default().filter("service", service);
    let mut found = None;
    until("a task is as expected", async || {
        let tasks = live.tasks().list_with(&options).await?;
        Ok(tasks.iter().any(|task| states.contains(&task.status.state)))
    })
    .await?;
    for task in live.tasks().list_with(&options).await? {
        if states.contains(&task.status.state) {
            found = Some(task);
        }
    }
    Ok(found.unwrap_or_default())
}

async fn nodes_pull_with_them(live: Live) -> Outcome {
    let door = Door::guarded(live.engine()).await?;
    let image = image(&live, &door).await?;
    let home = Home::new(&live, &json!({ "auths": { door.address(): entry(PASSWORD) } }))?;
    let docker = home.docker(&live)?;
    docker.image(image.name()).push().await?.finish().await?;
    image.remove().await?;
    let spec = |name: &str| live.service_spec("sleep 1000").with_image(name);
    let anonymous = ServiceCreateOptions::default().auth(RegistryAuth::anonymous());
    let without = docker.services().create_with(&spec(image.name()), &anonymous).await?;
    let failed = task(&live, without.id(), &[TaskState::Rejected, TaskState::Failed]).await?;
    assert!(failed.status.err.contains("No such image"), "{:?}", failed.status);
    without.remove().await?;
    refused(image.inspect().await, &[ErrorKind::NotFound]);
    let with = docker.services().create(&spec(image.name())).await?;
    task(&live, with.id(), &[TaskState::Running]).await?;
    with.remove().await?;
    // A service that gets another image gets the credentials for it.
    until("its containers are gone", async || Ok(image.remove().await.is_ok())).await?;
    let changed = docker.services().create(&spec(IMAGE)).await?;
    task(&live, changed.id(), &[TaskState::Running]).await?;
    changed.update(|spec| spec.with_image(image.name())).await?;
    until("the other image runs", async || {
        let tasks = live.tasks().list_with(&TaskListOptions::default().filter("service", changed.id())).await?;
        Ok(tasks
            .iter()
            .any(|task| task.status.state == TaskState::Running && task.spec.container_spec.image == image.name()))
    })
    .await?;
    Ok(())
}
