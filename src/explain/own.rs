//! One thread of this process, such as the one that draws a window.

use std::time::Duration;

/// Looks at one thread of this process, again and again, and says what it did from one look to the next.
///
/// A look follows what the thread waits for inside of this process and to its children, and takes well below a
/// millisecond for most waits. Who has the other end of a file is not looked for, which can take long.
///
/// ```
/// # #[cfg(target_os = "linux")] {
/// use meanwhile_explain::OwnThread;
/// use std::thread;
/// use std::time::Duration;
///
/// let (go, wait) = std::sync::mpsc::channel::<()>();
/// let decode = thread::Builder::new().name("decode".to_owned());
/// let decode = decode.spawn(move || wait.recv().is_ok())?;
/// let (send, tid) = std::sync::mpsc::channel();
/// let window = thread::spawn(move || {
///     drop(send.send(OwnThread::current().expect("Linux numbers its threads")));
///     decode.join().is_ok()
/// });
/// let mut window_thread = tid.recv()?;
/// let wait = loop {
///     let look = window_thread.look();
///     if let Some(wait) = look.and_then(|look| look.wait).filter(|wait| wait.what.contains("decode")) {
///         break wait;
///     }
///     thread::sleep(Duration::from_millis(10));
/// };
/// assert_eq!(wait.what, "waits for thread `decode` to end");
/// drop(go);
/// # window.join().expect("it does not panic");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OwnThread {
    #[cfg(target_os = "linux")]
    looks: crate::linux::Looks,
}

/// What a thread did from one look to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnLook {
    /// The time between the looks.
    pub elapsed: Duration,
    /// The time for which it ran.
    pub ran: Duration,
    /// The time for which it could run, and others had the processors.
    pub ready: Duration,
    /// What it waited for at both looks, if that was the same.
    pub wait: Option<OwnWait>,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnWait {
    /// It in words: "waits for thread `decode` to end".
    pub what: String,
    /// The system does not record who can end it.
    pub(crate) is_unknown: bool,
    /// What the one does or waits for that it waits for, to the end of the chain: "reads from a pipe".
    pub because: Option<String>,
}

impl OwnWait {
    /// Returns whether it is a wait to be woken by another thread, and the system does not record by which.
    #[must_use]
    pub fn is_for_unknown(&self) -> bool {
        self.is_unknown
    }
}

impl OwnThread {
    /// The thread of this process with this id of the system.
    #[must_use]
    pub fn new(tid: u32) -> Self {
        #[cfg(not(target_os = "linux"))]
        let _ = tid;
        Self {
            #[cfg(target_os = "linux")]
            looks: crate::linux::Looks::new(tid),
        }
    }

    /// The thread that calls this. `None` if this is not Linux.
    #[must_use]
    pub fn current() -> Option<Self> {
        // `PID/task/TID`.
        let link = std::fs::read_link("/proc/thread-self").ok()?;
        Some(Self::new(link.file_name()?.to_str()?.parse().ok()?))
    }

    /// Looks at it. `None` at the first look, when it has ended, and where that is not known.
    pub fn look(&mut self) -> Option<OwnLook> {
        #[cfg(target_os = "linux")]
        return self.looks.look();
        #[cfg(not(target_os = "linux"))]
        None
    }
}
