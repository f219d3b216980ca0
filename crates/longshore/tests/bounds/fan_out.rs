//! One stream, read by many, of whom one does not read.

use longshore::{Chunk, Delivery, Docker, Result, Subscription};

/// How many items are kept for those who are slower.
const KEPT: u64 = 256;

/// Reads logs twice at the same time, and once more when all has come: how many items there were.
pub(crate) async fn read(docker: Docker) -> Result<u64> {
    let fan_out = docker.container("web").logs().await?.fan_out(KEPT as usize);
    let idle = fan_out.subscribe();
    let [one, other] = [fan_out.subscribe(), fan_out.subscribe()].map(|reader| tokio::spawn(count(reader)));
    let (one, other) = (one.await.unwrap()?, other.await.unwrap()?);
    let (items, lost) = one;
    assert_eq!((lost, other), (0, one), "those who read lost something");
    assert_eq!(
        count(idle).await?,
        (KEPT, items - KEPT),
        "who did not read has the last ones, and is told of the others"
    );
    Ok(items)
}

/// How many items came, and how many were lost.
async fn count(mut reader: Subscription<Chunk>) -> Result<(u64, u64)> {
    let (mut items, mut lost) = (0, 0);
    while let Some(delivery) = reader.next().await {
        match delivery? {
            Delivery::Item(_) => items += 1,
            Delivery::Lagged(count) => lost += count,
        }
    }
    Ok((items, lost))
}
