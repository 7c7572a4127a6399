//! The daemon's loop: what is due is done, a few things at a time, until it is told to stop; then what is under way is finished.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use crate::engine::Engine;
use crate::pull::{PullError, Pulled};
use crate::store::StoreError;
use crate::stream::StreamKey;

/// Something that a running engine has to tell.
#[derive(Debug)]
pub enum Happening {
    /// A walk has come to its end.
    Pulled(Pulled),
    /// A walk broke off; it is tried again.
    PullFailed(StreamKey, PullError),
    /// An attempt at a command was made.
    CommandAttempted,
    /// The store failed; the engine goes on trying.
    StoreFailed(StoreError),
}

impl Engine {
    /// Keeps every stream and carries every command out until `stop` is ready, then finishes what is under way. `tell` hears what happens.
    pub async fn run(&self, stop: impl Future<Output = ()>, mut tell: impl FnMut(Happening)) {
        tokio::pin!(stop);
        let mut pulls: JoinSet<(StreamKey, Result<Pulled, PullError>)> = JoinSet::new();
        let mut walked: Vec<StreamKey> = Vec::new();
        let stopping = Arc::new(AtomicBool::new(false));
        let mut commands: JoinSet<Result<bool, StoreError>> = JoinSet::new();
        let mut tick = tokio::time::interval(self.options().tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = tick.tick() => {
                    if let Err(error) = self.begin_pulls(&mut pulls, &mut walked, &stopping).await {
                        tell(Happening::StoreFailed(error));
                    }
                    while commands.len() < self.options().commands_at_once {
                        let engine = self.clone();
                        let is_first = commands.is_empty();
                        commands.spawn(async move { engine.attempt_next().await });
                        // One looks whether there is work; it brings the others.
                        if is_first {
                            break;
                        }
                    }
                }
                Some(pulled) = pulls.join_next() => told(pulled, &mut walked, &mut tell),
                Some(attempted) = commands.join_next() => match attempted {
                    Ok(Ok(true)) => {
                        tell(Happening::CommandAttempted);
                        let engine = self.clone();
                        commands.spawn(async move { engine.attempt_next().await });
                    }
                    Ok(Ok(false)) | Err(_) => {}
                    Ok(Err(error)) => tell(Happening::StoreFailed(error)),
                },
            }
        }
        // Walks end behind the page that they are at; another run goes on there.
        stopping.store(true, Ordering::Relaxed);
        while let Some(attempted) = commands.join_next().await {
            if let Ok(Ok(true)) = attempted {
                tell(Happening::CommandAttempted);
            }
        }
        while let Some(pulled) = pulls.join_next().await {
            told(pulled, &mut walked, &mut tell);
        }
    }

    /// Begins the walks that are due, as far as there is room.
    async fn begin_pulls(
        &self,
        pulls: &mut JoinSet<(StreamKey, Result<Pulled, PullError>)>,
        walked: &mut Vec<StreamKey>,
        stopping: &Arc<AtomicBool>,
    ) -> Result<(), StoreError> {
        let states = self.store().streams().await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        for key in self.streams() {
            if pulls.len() >= self.options().pulls_at_once {
                break;
            }
            let due_at = states.iter().find(|state| state.key == key).map_or(0, |state| state.due_at);
            if u128::from(due_at) > now || walked.contains(&key) {
                continue;
            }
            walked.push(key.clone());
            let (engine, stopping) = (self.clone(), Arc::clone(stopping));
            pulls.spawn(async move {
                let pulled = engine.pull_while(&key, |_| !stopping.load(Ordering::Relaxed)).await;
                (key, pulled)
            });
        }
        Ok(())
    }
}

fn told(
    pulled: Result<(StreamKey, Result<Pulled, PullError>), tokio::task::JoinError>,
    walked: &mut Vec<StreamKey>,
    tell: &mut impl FnMut(Happening),
) {
    let Ok((key, result)) = pulled else {
        // A walk that panicked is nobody's any more; its lease runs out by itself.
        walked.clear();
        return;
    };
    walked.retain(|walking| *walking != key);
    match result {
        Ok(pulled) => tell(Happening::Pulled(pulled)),
        // Another process walks it.
        Err(PullError::Busy(_)) => {}
        Err(error) => tell(Happening::PullFailed(key, error)),
    }
}
