//! Files that are read again every few seconds, because somebody else renews them. A Secret or ConfigMap volume
//! replaces a symlink above its files, which a watch on the files does not see, and modification times are not
//! reliable there. So their content is compared, by who takes it.

use std::time::Duration;

/// Time between reads.
const PERIOD: Duration = Duration::from_secs(5);

/// Reads again and again, for ever, and hands over each result.
pub(crate) async fn forever<T: Send + 'static>(
    read: impl Fn() -> T + Clone + Send + 'static,
    mut take: impl FnMut(T),
) {
    loop {
        tokio::time::sleep(PERIOD).await;
        // Reading may block for long on a network volume.
        if let Ok(result) = tokio::task::spawn_blocking(read.clone()).await {
            take(result);
        }
    }
}
