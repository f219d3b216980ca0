//! What helpers say and fail to say, and that none is left behind.

use super::*;

#[tokio::test]
async fn what_a_helper_may_say() {
    let home = Home::with(&format!(r#"{{"credsStore": "x", "auths": {{"ghcr.io": {{"auth": "{BASIC}"}}}}}}"#));
    let not_found = "echo 'credentials not found in native keychain'; exit 1";
    for (script, expected) in [
        (answer("<token>", "t"), r#"{"identitytoken":"t","serveraddress":"ghcr.io"}"#),
        (
            r#"echo '{"username":"u","SECRET":"s","New":{}}'"#.into(),
            r#"{"password":"s","serveraddress":"ghcr.io","username":"u"}"#,
        ),
        (answer("u", ""), r#"{"serveraddress":"ghcr.io","username":"u"}"#),
        // The CLI does not read on.
        (
            format!("{}; echo and more", answer("u", "s")),
            r#"{"password":"s","serveraddress":"ghcr.io","username":"u"}"#,
        ),
        // It is not asked whether it has read its input.
        (format!("exec <&-; {}", answer("u", "s")), r#"{"password":"s","serveraddress":"ghcr.io","username":"u"}"#),
        (
            format!("echo noise >&2; {}", answer("u", "s")),
            r#"{"password":"s","serveraddress":"ghcr.io","username":"u"}"#,
        ),
        (format!("sleep 0.7; {}", answer("u", "s")), r#"{"password":"s","serveraddress":"ghcr.io","username":"u"}"#),
        // None, though the file has some: the helper is where they are kept.
        (not_found.into(), "none"),
        (answer("", ""), "none"),
        (answer("<token>", ""), "none"),
        ("echo '{}'".into(), "none"),
        ("echo null".into(), "none"),
    ] {
        home.helper("x", &script);
        assert_eq!(home.found("ghcr.io").await, expected, "{script}");
    }
}

#[tokio::test]
async fn a_helper_that_fails_is_named_and_its_secret_is_not() {
    let home = Home::with(r#"{"credsStore": "x"}"#);
    let json = format!(r#"{{"Username":"jane","Secret":"{SECRET}"#);
    for (script, reason) in [
        (
            format!("echo {SECRET}; echo {SECRET} >&2; exit 3"),
            "has failed (exit status: 3); run `docker-credential-x get` to see why",
        ),
        (format!("echo '{json}\"}}'; exit 1"), "has failed (exit status: 1)"),
        (format!("echo '{json}'; kill -SEGV $$"), "has failed (signal: 11 (SIGSEGV)"),
        (format!("echo '{json}'"), "has answered something else than credentials"),
        (format!("echo '{SECRET}'"), "has answered something else than credentials"),
        (format!("echo '\"{SECRET}\"'"), "has answered something else than credentials"),
        (
            format!(r#"echo '{{"Username":"jane","Secret":["{SECRET}"]}}'"#),
            "has answered something else than credentials",
        ),
        (r"printf '\377\376\000'".into(), "has answered something else than credentials"),
        ("exit 0".into(), "has answered something else than credentials"),
        ("echo 'credentials not found in native keychain'".into(), "has answered something else than credentials"),
        (format!("yes {SECRET}"), "has written more than 65536 bytes"),
        ("head -c 65537 /dev/zero; sleep 1000".into(), "has written more than 65536 bytes"),
    ] {
        home.helper("x", &script);
        let error = home.get("ghcr.io").await.unwrap_err();
        let expected =
            format!("get credentials for registry `ghcr.io`: the credential helper `docker-credential-x` {reason}");
        assert!(error.to_string().starts_with(&expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!everything(&error).contains(SECRET), "{error:?}");
    }
}

#[tokio::test]
async fn a_helper_that_is_none_is_named() {
    let home = Home::new();
    home.write("bin/docker-credential-plain", "#!/bin/sh");
    fs::create_dir(home.0.join("bin/docker-credential-folder")).unwrap();
    home.program("evil", "touch $HOME/evil");
    home.helper("lost", "touch $HOME/lost");
    fs::copy(home.0.join("bin/evil"), home.0.join("docker-credential-outside")).unwrap();
    let missing = |name: &str| format!("`docker-credential-{name}` is not in any folder of the variable PATH");
    let wrong = |name: &str| format!("`{name}` is no name of a credential helper");
    for (name, reason) in [
        ("missing", missing("missing")),
        ("plain", missing("plain")),
        ("folder", missing("folder")),
        ("outside", missing("outside")),
        ("$(evil)", missing("$(evil)")),
        ("x; evil", missing("x; evil")),
        ("/../evil", wrong("/../evil")),
        ("x/../../evil", wrong("x/../../evil")),
        (r"..\evil", wrong(r"..\\evil")),
        ("a\u{0}b", wrong(r"a\0b")),
        ("a\nb", wrong(r"a\nb")),
    ] {
        home.write("config.json", &serde_json::json!({ "credsStore": name }).to_string());
        let error = home.get("ghcr.io").await.unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains(&reason), "{error}");
    }
    assert!(home.read("evil").is_none());
    // A folder that is not absolute is where anybody may put something.
    home.write("config.json", r#"{"credsStore": "lost"}"#);
    for path in ["", ".", "bin", "bin:."] {
        let environment = home.environment().variable("PATH", path);
        let error = Credentials::read(environment, None).await.unwrap().of("ghcr.io").await.unwrap_err();
        assert!(error.to_string().contains(&missing("lost")), "{error}");
    }
    assert!(home.read("lost").is_none());
    // One whose interpreter is missing is there, but can't be run.
    let script = home.0.join("bin/docker-credential-lost");
    let broken = Command::new("/bin/sh").args(["-c", "echo '#!/nonexistent' > \"$0\""]).arg(&script).status();
    assert!(broken.unwrap().success());
    let error = home.get("ghcr.io").await.unwrap_err();
    assert!(error.to_string().contains("`docker-credential-lost` can't be run: "), "{error}");
}

/// A script that says who it is, and waits with a program that it has started.
const HANGING: &str =
    "echo $$ > $HOME/pid.new; sleep 1000 & echo $! >> $HOME/pid.new; mv $HOME/pid.new $HOME/pid; wait";

/// Waits until both processes of [`HANGING`] have ended, and the first is no longer a child of anybody.
async fn gone(home: &Home) {
    let pids = home.read("pid").expect("it was to be running");
    let ended = |pid: &str, as_child: bool| match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !as_child && stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')),
        Err(_) => true,
    };
    let waiting = async {
        for (number, pid) in pids.lines().enumerate() {
            while !ended(pid, number == 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    assert_eq!(pids.lines().count(), 2);
    tokio::time::timeout(PATIENT, waiting).await.expect("a helper was left behind");
}

#[tokio::test]
async fn a_helper_that_hangs_is_ended_at_its_deadline() {
    let home = Home::with(r#"{"credsStore": "x"}"#);
    for script in [HANGING.to_owned(), format!("{}; exec >&-; {HANGING}", answer("jane", SECRET))] {
        home.helper("x", &script);
        let limit = Duration::from_secs(2);
        let start = Instant::now();
        let error = home.credentials(limit).await.of("ghcr.io").await.unwrap_err();
        assert!((limit..PATIENT).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(
            error.to_string(),
            "get credentials for registry `ghcr.io`: the credential helper `docker-credential-x` gave no answer within \
             2s: it may be asking something that nobody can see"
        );
        assert!(!everything(&error).contains(SECRET));
        gone(&home).await;
        fs::remove_file(home.0.join("pid")).unwrap();
    }
}

#[tokio::test]
async fn a_helper_ends_when_nobody_waits_for_it() {
    let home = Home::with(r#"{"credsStore": "x"}"#);
    home.helper("x", HANGING);
    let credentials = home.credentials(PATIENT).await;
    let mut asking = Box::pin(credentials.of("ghcr.io"));
    while home.read("pid").is_none() {
        assert!(tokio::time::timeout(Duration::from_millis(10), &mut asking).await.is_err());
    }
    drop(asking);
    gone(&home).await;
}

/// Set where the test runs in a terminal of its own.
const IN_TERMINAL: &str = "LONGSHORE_TEST_IN_TERMINAL";

#[tokio::test]
async fn a_helper_can_not_read_from_the_terminal() {
    if std::env::var_os(IN_TERMINAL).is_none() {
        let own = std::env::current_exe().unwrap();
        let name = "config::credentials::tests::helpers::a_helper_can_not_read_from_the_terminal";
        let mut terminal = Command::new("script");
        terminal.args(["-q", "-e", "-c"]).arg(format!("{} --exact {name} --nocapture", own.display())).arg("/dev/null");
        let mut terminal = terminal.env(IN_TERMINAL, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // What is typed; the terminal stays open until the test has ended.
        terminal.stdin.as_mut().unwrap().write_all(b"typed by the user\n").unwrap();
        let stdin = terminal.stdin.take();
        let output = terminal.wait_with_output().unwrap();
        drop(stdin);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let home = Home::with(r#"{"credsStore": "x"}"#);
    home.helper("x", ": < /dev/tty && touch $HOME/terminal; read line < /dev/tty; echo \"$line\" > $HOME/line");
    let start = Instant::now();
    let error = home.credentials(Duration::from_secs(2)).await.of("ghcr.io").await.unwrap_err();
    assert!(start.elapsed() < PATIENT);
    assert!(error.is_timeout() && error.to_string().contains("`docker-credential-x` gave no answer"), "{error}");
    assert!(home.read("terminal").is_some(), "this was to run in a terminal");
    assert_eq!(home.read("line"), None);
}
