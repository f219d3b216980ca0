//! Images as archives: save one or several, load them again.

use longshore::image::{LoadOptions, SaveOptions};
use longshore::{ErrorKind, Payload};
use longshore_testkit::live::{IMAGE, Live};

use crate::harness::{Outcome, Test, test};
use crate::support::{Entry, refused, tar};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(an_image_is_saved_and_loaded),
        test(several_images_are_saved_as_one),
        test(an_image_without_a_name_is_loaded_too),
        test(a_load_tells_how_far_it_is),
        test(a_save_flows_into_a_load),
        test(what_is_no_archive_is_not_loaded),
        test(an_unknown_image_can_not_be_saved),
        test(a_save_that_is_dropped_costs_nothing),
        test(the_platform_can_be_chosen),
        test(a_platform_that_the_image_does_not_have_is_not_saved),
    ]
}

/// Makes an image of one file that no other image has, and tells its name.
async fn small_image(live: &Live) -> longshore::Result<String> {
    let name = live.image_name();
    let archive = tar(&[Entry::file("name", name.as_bytes())]);
    live.images().import_with(archive, &live.import_options().repository(&name)).await?;
    Ok(name)
}

async fn an_image_is_saved_and_loaded(live: Live) -> Outcome {
    let name = small_image(&live).await?;
    let before = live.image(&name).inspect().await?;
    let mut archive = Vec::new();
    let length = live.image(&name).save().await?.copy_to(&mut archive).await?;
    assert!(length > 1024 && length == archive.len() as u64, "{length}");
    live.image(&name).remove().await?;
    refused(live.image(&name).inspect().await, &[ErrorKind::NotFound]);
    let images = live.images().load(archive).await?.finish().await?;
    let [image] = &images[..] else { panic!("{images:?}") };
    assert!(image.name().ends_with(&format!("{name}:latest")), "{}", image.name());
    let after = image.inspect().await?;
    assert_eq!((&after.id, &after.root_fs.layers), (&before.id, &before.root_fs.layers));
    assert_eq!(live.image(&name).inspect().await?.id, before.id);
    Ok(())
}

async fn several_images_are_saved_as_one(live: Live) -> Outcome {
    let names = [small_image(&live).await?, small_image(&live).await?];
    let mut archive = Vec::new();
    live.images().save(&names).await?.copy_to(&mut archive).await?;
    for name in &names {
        live.image(name).remove().await?;
    }
    let images = live.images().load(archive).await?.finish().await?;
    assert_eq!(images.len(), 2, "{images:?}");
    for name in &names {
        assert!(images.iter().any(|image| image.name().ends_with(&format!("{name}:latest"))), "{images:?}");
        live.image(name).inspect().await?;
    }
    Ok(())
}

async fn an_image_without_a_name_is_loaded_too(live: Live) -> Outcome {
    let archive = tar(&[Entry::file("name", live.name().as_bytes())]);
    let image = live.images().import(archive).await?;
    live.keep(image.name());
    let mut archive = Vec::new();
    image.save().await?.copy_to(&mut archive).await?;
    image.remove().await?;
    let loaded = live.images().load(archive).await?.finish().await?;
    let [loaded] = &loaded[..] else { panic!("{loaded:?}") };
    live.keep(loaded.name());
    let digits = |id: &str| id.trim_start_matches("sha256:").to_owned();
    assert_eq!(digits(&loaded.inspect().await?.id), digits(image.name()));
    Ok(())
}

async fn a_load_tells_how_far_it_is(live: Live) -> Outcome {
    let name = small_image(&live).await?;
    let mut archive = Vec::new();
    live.image(&name).save().await?.copy_to(&mut archive).await?;
    for quiet in [false, true] {
        live.image(&name).remove().await?;
        let options = if quiet { LoadOptions::default().quiet() } else { LoadOptions::default() };
        let mut load = live.images().load_with(archive.clone(), &options).await?;
        let (mut layers, mut messages) = (0, 0);
        while let Some(message) = load.next().await {
            let message = message?;
            messages += 1;
            layers += usize::from(message.progress_detail.current > 0);
        }
        assert!(load.loaded().iter().any(|loaded| loaded.contains(&name)), "{load:?}");
        assert_eq!(layers > 0, !quiet && !live.engine().is_podman(), "{layers} of {messages} messages");
    }
    Ok(())
}

async fn a_save_flows_into_a_load(live: Live) -> Outcome {
    let name = small_image(&live).await?;
    let archive = live.image(&name).save().await?;
    let images = live.images().load(Payload::reader(archive)).await?.finish().await?;
    assert!(images.iter().any(|image| image.name().contains(&name)), "{images:?}");
    Ok(())
}

async fn what_is_no_archive_is_not_loaded(live: Live) -> Outcome {
    let name = small_image(&live).await?;
    let mut whole = Vec::new();
    live.image(&name).save().await?.copy_to(&mut whole).await?;
    live.image(&name).remove().await?;
    let kinds = [ErrorKind::Invalid, ErrorKind::Server, ErrorKind::InStream];
    for wrong in [vec![b'x'; 4096], whole[..1500].to_vec(), tar(&[Entry::file("file", b"content")])] {
        let outcome = match live.images().load(wrong).await {
            Ok(load) => load.finish().await.map(drop),
            Err(error) => Err(error),
        };
        let error = refused(outcome, &kinds);
        assert_eq!(error.operation(), "load images");
    }
    refused(live.image(&name).inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn an_unknown_image_can_not_be_saved(live: Live) -> Outcome {
    let unknown = "localhost/no/such-image:1";
    refused(live.image(unknown).save().await.map(drop), &[ErrorKind::NotFound]);
    refused(live.images().save([IMAGE, unknown]).await.map(drop), &[ErrorKind::NotFound]);
    refused(live.images().save([""; 0]).await.map(drop), &[ErrorKind::Invalid]);
    Ok(())
}

async fn a_save_that_is_dropped_costs_nothing(live: Live) -> Outcome {
    let mut save = live.image(IMAGE).save().await?;
    save.next().await.expect("an archive")?;
    drop(save);
    live.image(IMAGE).inspect().await?;
    Ok(())
}

async fn the_platform_can_be_chosen(live: Live) -> Outcome {
    let image = live.image(IMAGE).inspect().await?;
    let platform = format!("{}/{}", image.os, image.architecture);
    let mut archive = Vec::new();
    let options = SaveOptions::default().platform(&platform);
    live.image(IMAGE).save_with(&options).await?.copy_to(&mut archive).await?;
    let mut several = Vec::new();
    live.images().save_with([IMAGE], &options).await?.copy_to(&mut several).await?;
    assert!(archive.len() > 500_000 && several.len() > 500_000, "{} {}", archive.len(), several.len());
    let images = live.images().load_with(archive, &LoadOptions::default().platform(&platform)).await?.finish().await?;
    assert!(images.iter().any(|image| image.name().ends_with(IMAGE)), "{images:?}");
    Ok(())
}

async fn a_platform_that_the_image_does_not_have_is_not_saved(live: Live) -> Outcome {
    let options = SaveOptions::default().platform("linux/s390x");
    let outcome = match live.image(IMAGE).save_with(&options).await {
        Ok(mut save) => save.copy_to(&mut Vec::new()).await.map(drop),
        Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error.into()),
        Err(error) => Err(error),
    };
    refused(outcome, &[ErrorKind::NotFound, ErrorKind::Server]);
    Ok(())
}
