//! Making images of containers.

use longshore::container::CommitOptions;
use longshore::models::ContainerConfig;
use longshore::{Container, ErrorKind, Result, Spec};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, text_of};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(the_image_has_the_container_s_files),
        test(name_message_and_author_are_told),
        test(changes_say_what_the_image_runs),
        test(a_config_says_what_the_image_runs),
        test(an_image_needs_no_name),
        test(a_wrong_name_or_change_is_refused),
    ]
}

/// A container that has written a file and runs on.
async fn written(live: &Live) -> Result<Container> {
    let container = live.start(live.spec("sleep 1000").env("KEPT", "yes")).await?;
    text_of(&container, "echo written >/file").await?;
    Ok(container)
}

/// What a container of the image writes.
async fn run(live: &Live, image: &str) -> Result<String> {
    let spec = live.labelled(Spec::image(image)).network("host");
    Ok(live.containers().output(spec).await?.stdout.text().into_owned())
}

async fn the_image_has_the_container_s_files(live: Live) -> Outcome {
    let container = written(&live).await?;
    let name = live.image_name();
    let image = container.commit_with(&CommitOptions::default().repository(&name)).await?;
    assert!(!container.inspect().await?.state.paused);
    assert_eq!(
        live.image(&name).inspect().await?.id.trim_start_matches("sha256:"),
        image.name().trim_start_matches("sha256:")
    );
    let spec = live.labelled(Spec::image(&name)).cmd(["sh", "-c", "cat /file; echo $KEPT"]).network("host");
    let out = live.containers().output(spec).await?;
    assert!(out.stdout == "written\nyes\n", "{out:?}");
    Ok(())
}

async fn name_message_and_author_are_told(live: Live) -> Outcome {
    let container = written(&live).await?;
    let name = live.image_name();
    let options = CommitOptions::default().repository(&name).tag("v2").message("by test").author("a tester");
    container.commit_with(&options.without_pause()).await?;
    let tagged = format!("{name}:v2");
    live.keep(&tagged);
    let image = live.image(&tagged).inspect().await?;
    assert_eq!((image.comment.as_str(), image.author.as_str()), ("by test", "a tester"));
    assert!(image.repo_tags.iter().any(|tag| tag.ends_with(&tagged)), "{:?}", image.repo_tags);
    refused(live.image(&name).inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn changes_say_what_the_image_runs(live: Live) -> Outcome {
    let container = written(&live).await?;
    let name = live.image_name();
    let options = CommitOptions::default().repository(&name).change("ENV STAGE=test");
    let options = options.changes([
        "WORKDIR /var",
        r#"CMD ["sh", "-c", "echo $STAGE $KEPT; pwd"]"#,
        "LABEL color=\"light blue\"",
    ]);
    container.commit_with(&options).await?;
    assert_eq!(run(&live, &name).await?, "test yes\n/var\n");
    let config = live.image(&name).inspect().await?.config.clone().unwrap_or_default();
    assert_eq!(config.labels.get("color").map(String::as_str), Some("light blue"));
    Ok(())
}

async fn a_config_says_what_the_image_runs(live: Live) -> Outcome {
    let container = written(&live).await?;
    let name = live.image_name();
    let mut config = ContainerConfig::default();
    config.cmd = ["sh", "-c", "echo $STAGE; cat /file"].map(str::to_owned).to_vec();
    config.env = vec!["STAGE=config".to_owned()];
    container.commit_with(&CommitOptions::default().repository(&name).config(config)).await?;
    if live.engine().is_podman() {
        // Podman reads over it.
        let config = live.image(&name).inspect().await?.config.clone().unwrap_or_default();
        assert_eq!(config.cmd, ["sleep", "1000"]);
        return Ok(());
    }
    assert_eq!(run(&live, &name).await?, "config\nwritten\n");
    Ok(())
}

async fn an_image_needs_no_name(live: Live) -> Outcome {
    let container = written(&live).await?;
    let image = container.commit().await?;
    live.keep(image.name());
    let inspect = image.inspect().await?;
    assert!(inspect.repo_tags.is_empty(), "{:?}", inspect.repo_tags);
    let spec = live.labelled(Spec::image(image.name())).cmd("cat /file").network("host");
    let out = live.containers().output(spec).await?;
    assert!(out.stdout == "written\n", "{out:?}");
    Ok(())
}

async fn a_wrong_name_or_change_is_refused(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    refused(container.commit_with(&CommitOptions::default().repository("UPPER")).await, &[ErrorKind::Invalid]);
    refused(container.commit_with(&CommitOptions::default().tag("v1")).await, &[ErrorKind::Invalid]);
    let outcome = container.commit_with(&CommitOptions::default().change("NONSENSE here")).await;
    let error = refused(outcome, &[ErrorKind::Invalid, ErrorKind::Server]);
    assert!(error.message().to_lowercase().contains("nonsense"), "{error}");
    Ok(())
}
