//! Keeps the machine from going to sleep while work runs.

use std::time::Duration;

use crate::join::{self, Context, Task};

/// While it lives, the machine does not go to sleep by itself; its screen may. Where nothing offers that,
/// it has no effect.
pub(crate) struct Awake(Option<Task<()>>);

impl Awake {
    /// Takes effect after this time, so that short work asks for nothing. Does not block. Calls `refused`,
    /// on any thread, if the machine goes to sleep nevertheless.
    pub(crate) fn after(time: Duration, refused: impl Fn() + Clone + Send + 'static) -> Self {
        let asking = join::Builder::new("stay awake").daemon(true);
        let also_refused = refused.clone();
        let asking = asking.spawn(move |context| {
            if !stay_awake(time, context) {
                refused();
            }
        });
        if asking.is_err() {
            also_refused();
        }
        Self(asking.ok())
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        if let Some(asking) = &self.0 {
            asking.cancel();
        }
    }
}

/// Keeps the machine awake from this time on, until it is cancelled. Returns false if nothing offers that.
#[cfg(target_os = "linux")]
fn stay_awake(time: Duration, context: &Context) -> bool {
    if context.sleep(time).is_err() {
        return true;
    }
    let Some(inhibition) = inhibition::begin() else {
        return false;
    };
    // It ends only with a cancel.
    context.sleep_until(None).ok();
    inhibition.end();
    true
}

#[cfg(not(target_os = "linux"))]
fn stay_awake(_time: Duration, _context: &Context) -> bool {
    false
}

#[cfg(target_os = "linux")]
mod inhibition {
    use std::collections::HashMap;

    use zbus::zvariant::{OwnedFd, OwnedObjectPath, Value};
    use zbus::{Connection, Result, block_on};

    const WHO: &str = "Meanwhile";
    const WHY: &str = "Work is running";

    /// In the flags of the portal.
    const SUSPEND: u32 = 4;

    /// It also ends when this program does.
    pub(super) enum Inhibition {
        Portal(Connection, OwnedObjectPath),
        Logind(#[expect(dead_code, reason = "its drop ends it")] OwnedFd),
    }

    /// Asks the desktop, and where there is none the system. `None` if neither offers it.
    pub(super) fn begin() -> Option<Inhibition> {
        block_on(async {
            match ask_portal().await {
                Ok(inhibition) => Some(inhibition),
                Err(_no_desktop) => ask_logind().await.ok(),
            }
        })
    }

    async fn ask_portal() -> Result<Inhibition> {
        let bus = Connection::session().await?;
        let options = HashMap::from([("reason", Value::from(WHY))]);
        let arguments = ("", SUSPEND, options);
        let reply = bus.call_method(
            Some("org.freedesktop.portal.Desktop"),
            "/org/freedesktop/portal/desktop",
            Some("org.freedesktop.portal.Inhibit"),
            "Inhibit",
            &arguments,
        );
        let request = reply.await?.body().deserialize()?;
        Ok(Inhibition::Portal(bus, request))
    }

    async fn ask_logind() -> Result<Inhibition> {
        let bus = Connection::system().await?;
        let reply = bus.call_method(
            Some("org.freedesktop.login1"),
            "/org/freedesktop/login1",
            Some("org.freedesktop.login1.Manager"),
            "Inhibit",
            &("sleep:idle", WHO, WHY, "block"),
        );
        let file = reply.await?.body().deserialize()?;
        Ok(Inhibition::Logind(file))
    }

    impl Inhibition {
        pub(super) fn end(self) {
            if let Self::Portal(bus, request) = self {
                let closed = bus.call_method(
                    Some("org.freedesktop.portal.Desktop"),
                    &request,
                    Some("org.freedesktop.portal.Request"),
                    "Close",
                    &(),
                );
                // If it fails, the end of the connection ends it.
                block_on(closed).ok();
            }
        }
    }
}
