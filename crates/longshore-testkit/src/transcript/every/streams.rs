//! What is read from containers and written to them.

use longshore::{
    Archive, Attach, Attached, Chunk, Container, Delivery, FanOut, Lines, Logs, OutputStream, Session, Size, Stats,
    Stdin, Subscription, Text,
};

use super::super::sessions::may_end_at_frames;
use super::super::streams::STAT;
use super::{Transcript, awaited, brief, calls, shown, streamed};
use crate::answer::Answer;
use crate::transcript::wire::{answer, chunked, frame, upgraded};

const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";
const LOGS: &str = "GET /v1.44/containers/web/logs?stdout=1&stderr=1";

pub(super) fn all() -> Vec<Transcript> {
    [output(), adapters(), sessions(), statistics(), archives()].concat()
}

fn framed() -> Vec<u8> {
    let fields = [&*format!("Content-Type: {MULTIPLEXED}"), "Transfer-Encoding: chunked"];
    answer("200 OK", &fields, chunked(&[frame(1, "one\n"), frame(2, "two\n")]))
}

fn output() -> Vec<Transcript> {
    let pieces = Transcript::new("output piece by piece", |docker| {
        Box::pin(async move {
            let mut plain = awaited::<Logs<Container>, _>(docker.container("web").logs()).await?;
            let mut read = 0;
            while let Some(chunk) = OutputStream::next(&mut plain).await {
                read += chunk?.bytes.len();
            }
            let other = docker.container("web").logs().await?;
            let other = streamed::<OutputStream, _>(other).await?;
            shown(&[&read, &other.iter().map(|chunk| chunk.bytes.len()).sum::<usize>()])
        })
    });
    let whole = Transcript::new("output as a whole", |docker| {
        Box::pin(async move {
            let plain = OutputStream::collect(docker.container("web").logs().await?).await?;
            let other = OutputStream::collect_up_to(docker.container("web").logs().await?, 8).await?;
            let (mut out, mut err) = (Vec::new(), Vec::new());
            OutputStream::copy_to(&mut docker.container("web").logs().await?, &mut out, &mut err).await?;
            shown(&[&plain.stdout.text(), &other.stderr.text(), &out.len(), &err.len()])
        })
    });
    vec![
        pieces.exchange(LOGS, framed()).exchange(LOGS, framed()).gives("8 8"),
        whole
            .exchange(LOGS, framed())
            .exchange(LOGS, framed())
            .exchange(LOGS, framed())
            .gives(r#""one\n" "two\n" 4 4"#),
    ]
}

fn adapters() -> Vec<Transcript> {
    let lines = Transcript::new("output line by line", |docker| {
        Box::pin(async move {
            let mut plain = docker.container("web").logs().await?.lines();
            let mut read = String::new();
            while let Some(line) = Lines::next(&mut plain).await {
                read.push_str(&line?.text());
            }
            let other = docker.container("web").logs().await?.lines();
            shown(&[&read, &streamed::<Lines, _>(other).await?.len()])
        })
    });
    let text = Transcript::new("output as text", |docker| {
        Box::pin(async move {
            let mut plain = docker.container("web").logs().await?.text();
            let mut read = String::new();
            while let Some(chunk) = Text::next(&mut plain).await {
                read.push_str(&chunk?.text);
            }
            let other = docker.container("web").logs().await?.text();
            let other = streamed::<Text, _>(other).await?;
            shown(&[&read, &other.iter().map(|chunk| chunk.text.len()).sum::<usize>()])
        })
    });
    let many = Transcript::new("output for many", |docker| {
        Box::pin(async move {
            let fan_out: FanOut<Chunk> = docker.container("web").logs().await?.fan_out(64);
            let (mut plain, other) = (fan_out.subscribe(), fan_out.subscribe());
            let mut read = 0;
            while let Some(delivery) = Subscription::next(&mut plain).await {
                read += length(&delivery?);
            }
            let other = streamed::<Subscription<Chunk>, _>(other).await?;
            shown(&[&read, &other.iter().map(length).sum::<usize>()])
        })
    });
    vec![
        lines.exchange(LOGS, framed()).exchange(LOGS, framed()).gives(r#""onetwo" 2"#),
        text.exchange(LOGS, framed()).exchange(LOGS, framed()).gives(r#""one\ntwo\n" 8"#),
        many.exchange(LOGS, framed()).gives("8 8"),
    ]
}

fn length(delivery: &Delivery<Chunk>) -> usize {
    match delivery {
        Delivery::Item(chunk) => chunk.bytes.len(),
        lost => panic!("{lost:?}"),
    }
}

fn sessions() -> Vec<Transcript> {
    let head = upgraded(MULTIPLEXED);
    let frames = [frame(1, "b\n"), frame(1, "a\n")];
    let with_input = "POST /v1.44/containers/web/attach?stream=1&stdin=1&stdout=1&stderr=1";
    let without = "POST /v1.44/containers/web/attach?stream=1&stdin=0&stdout=1&stderr=1";
    let echo = || {
        let begun = Answer::new(head.clone()).after_input(2).then(frames[0].clone());
        begun.after_end_of_input().then(frames[1].clone()).then_close()
    };
    let plain = Transcript::new("a session with input", |docker| {
        Box::pin(async move {
            let mut session: Attached = docker.container("web").attach().stdin().await?;
            Session::write_all(&mut session, b"b\n").await?;
            Session::close_stdin(&mut session).await?;
            let mut read = 0;
            while let Some(chunk) = Session::next(&mut session).await {
                read += chunk?.bytes.len();
            }
            shown(&[&read])
        })
    });
    let apart = Transcript::new("a session taken apart", |docker| {
        Box::pin(async move {
            let (mut stdin, output) = docker.container("web").attach().stdin().await?.split();
            Stdin::send(&mut stdin, b"b\n").await?;
            Stdin::close(&mut stdin).await?;
            let read = streamed::<OutputStream, _>(output).await?;
            shown(&[&read.iter().map(|chunk| chunk.bytes.len()).sum::<usize>()])
        })
    });
    let sized = Transcript::new("a session on a terminal of a new size", |docker| {
        Box::pin(async move {
            let session: Attached = awaited::<Attach, _>(docker.container("web").attach()).await?;
            let resize = Attached::resize(&session, Size { rows: 24, columns: 80 }).await?;
            let mut session = session;
            let inner: &mut Session = &mut session;
            let read = streamed::<&mut Session, _>(inner).await?;
            shown(&[&resize, &read.iter().map(|chunk| chunk.bytes.len()).sum::<usize>()])
        })
    });
    let of_length = |out: &str, _: &str| out.len().to_string();
    let plain = plain.exchange(with_input, echo()).gives("4");
    let apart = apart.exchange(with_input, echo()).gives("4");
    let sized = sized
        .exchange(without, Answer::new([&head[..], &frames.concat()].concat()).then_close())
        .exchange("POST /v1.44/containers/web/resize?h=24&w=80", brief(""))
        .gives("() 4");
    vec![
        may_end_at_frames(plain, 0, head.len(), &frames, of_length),
        may_end_at_frames(apart, 0, head.len(), &frames, of_length),
        may_end_at_frames(sized, 0, head.len(), &frames, |out, _| format!("() {}", out.len())),
    ]
}

fn statistics() -> Vec<Transcript> {
    let sample = "{\"memory_stats\":{\"usage\":77}}\n";
    let stats = ("GET /containers/web/stats?stream=1", sample);
    vec![
        calls("every stream of samples", &[stats, stats], "1 1", |docker| {
            Box::pin(async move {
                let mut plain = Container::stats(&docker.container("web")).await?;
                let mut read = 0;
                while let Some(sample) = Stats::next(&mut plain).await {
                    read += usize::from(sample?.memory_used() == 77);
                }
                let other = Container::stats(&docker.container("web")).await?;
                shown(&[&read, &streamed::<Stats, _>(other).await?.len()])
            })
        }),
        calls(
            "every single sample",
            &[
                ("GET /containers/web/stats?stream=0", sample),
                ("GET /containers/web/stats?stream=0&one-shot=1", sample),
            ],
            "77 77",
            |docker| {
                Box::pin(async move {
                    let web = docker.container("web");
                    let plain = Container::stats_once(&web).await?;
                    shown(&[&plain.memory_used(), &Container::stats_one_shot(&web).await?.memory_used()])
                })
            },
        ),
    ]
}

fn archives() -> Vec<Transcript> {
    let put = ("PUT /containers/web/archive?path=%2Fsrv", "");
    let down = Transcript::new("every way down", |docker| {
        Box::pin(async move {
            let web = docker.container("web");
            let info = Container::archive_info(&web, "/etc").await?;
            let mut archive: Archive = Container::archive(&web, "/etc").await?;
            let archive = archive.copy_to(&mut tokio::io::sink()).await?;
            let export = Container::export(&web).await?.copy_to(&mut tokio::io::sink()).await?;
            shown(&[&info.name, &archive, &export])
        })
    });
    let tar = |fields: &[&str]| {
        let all = [fields, &["Content-Type: application/x-tar", "Content-Length: 5"]].concat();
        answer("200 OK", &all, "tar\0\0")
    };
    vec![
        calls("every way up", &[put, put], "() ()", |docker| {
            Box::pin(async move {
                let web = docker.container("web");
                let plain = Container::put_archive(&web, "/srv", "tar").await?;
                shown(&[&plain, &Container::put_archive_with(&web, "/srv", "tar", &Default::default()).await?])
            })
        }),
        down.exchange(
            "HEAD /v1.44/containers/web/archive?path=%2Fetc",
            answer("200 OK", &["Content-Length: 42", STAT], ""),
        )
        .exchange("GET /v1.44/containers/web/archive?path=%2Fetc", tar(&[STAT]))
        .exchange("GET /v1.44/containers/web/export", tar(&[]))
        .gives(r#""etc" 5 5"#),
    ]
}
