//! What goes: 1 MB of it takes as much memory as 200 MB.

use std::future::Future;
use std::pin::Pin;

use longshore::{Docker, Payload, Result};
use longshore_testkit::tally;
use longshore_testkit::transcript::wire::json;
use tokio::io::AsyncReadExt;

use crate::source::{Script, Source};
use crate::{alone, measured};

const SIZES: [u64; 2] = [1_000_000, 200_000_000];
const SLACK: u64 = 2 << 20;

/// A call under way.
type Sending = Pin<Box<dyn Future<Output = Result<()>>>>;

/// A call with something to send.
type Call = fn(Docker, Payload) -> Sending;

/// So many bytes, made as they are sent.
fn payload(length: u64) -> Payload {
    Payload::reader(tokio::io::repeat(b'x').take(length))
}

#[tokio::test]
async fn memory_does_not_depend_on_how_much_goes() {
    let _alone = alone().await;
    let done = || Script::new(json("200 OK", "{\"stream\":\"Loaded image: a:1\\n\"}{\"aux\":{\"ID\":\"sha256:1\"}}"));
    let all: [(&str, Call); 4] = [
        ("an archive up", |docker, tar| {
            Box::pin(async move { docker.container("web").put_archive("/srv", tar).await })
        }),
        ("a load", |docker, tar| Box::pin(async move { docker.images().load(tar).await?.finish().await.map(drop) })),
        ("a build context", |docker, tar| {
            Box::pin(async move { docker.images().build(tar).await?.finish().await.map(drop) })
        }),
        ("a plugin", |docker, tar| Box::pin(async move { docker.plugins().create("driver", tar).await.map(drop) })),
    ];
    for (name, send) in all {
        let mut taken = Vec::new();
        for size in [SIZES[0], SIZES[0], SIZES[1]] {
            let source = Source::new(move |_| done());
            let what = format!("{name} of {size} bytes");
            let (sent, memory) = measured(&what, send(source.docker(), payload(size))).await;
            sent.unwrap();
            assert!(source.taken() > size, "{what}: {} bytes came", source.taken());
            taken.push(memory);
        }
        assert!(taken[2] <= taken[1] + SLACK, "{name}: {taken:?} bytes of memory");
    }
    tally("bounds", "streams measured", all.len() as u64);
}
