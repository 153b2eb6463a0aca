//! Tasks that return the cancel with `?`.

use super::context::Context;

/// Returns a closure for a task that returns a `Result`. If it returns `Err` after a
/// [`check`](Context::check) of the task has failed, the outcome of the task is
/// [`JoinError::Cancelled`](super::JoinError::Cancelled) and the error is dropped. Without this, the
/// outcome would be the error.
///
/// Any other result is the outcome as usual: `Ok` also after a cancel, and `Err` before the task has
/// checked for one.
///
/// ```
/// use meanwhile_join::{self as join, Context, JoinError};
/// use std::io;
///
/// fn copy_all(files: impl Iterator<Item = String>, context: &Context) -> io::Result<u64> {
///     let mut bytes = 0;
///     for file in files {
///         context.check()?;
///         bytes += file.len() as u64; // and copy it
///     }
///     Ok(bytes)
/// }
///
/// let files = std::iter::repeat("a.txt".to_owned());
/// let task = join::spawn("copy", join::cancellable(|context| copy_all(files, context)))?;
/// task.cancel();
/// assert!(matches!(task.join(), Err(JoinError::Cancelled)));
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn cancellable<T, E>(
    f: impl FnOnce(&Context) -> Result<T, E>,
) -> impl FnOnce(&Context) -> Result<T, E> {
    |context| {
        let result = f(context);
        if result.is_err() {
            context.give_up();
        }
        result
    }
}
