//! The thread that owns the database connection, and the hand-over of work to it.

use std::sync::mpsc;
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;
use tradepost_runtime::storage::StorageError;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Hands jobs to the thread. The thread ends when the last handle is gone and its jobs are done.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    pub(super) fn start(mut connection: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::Builder::new().name("tradepost-store".into()).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self { jobs })
    }

    /// Runs a job on the thread. It runs to its end even if the caller stops waiting.
    pub(super) async fn run<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // Nobody waiting any more is fine: the work is done all the same.
            let _abandoned = done.send(job(connection));
        });
        let stopped = || E::from(StorageError::Unavailable("the store has stopped".into()));
        self.jobs.send(job).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}
