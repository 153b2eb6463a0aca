//! Who shows the file dialogs.

/// Who shows the file dialogs, in a few words. May block for as long as the desktop takes to answer.
pub(crate) fn file_dialogs() -> String {
    if cfg!(target_os = "linux") {
        of_linux()
    } else {
        "of the system".to_owned()
    }
}

/// In the order in which `file_dialog` tries them.
fn of_linux() -> String {
    if let Some(version) = portal_version() {
        return format!("desktop portal, version {version} of its file chooser");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let mut programs = ["zenity", "kdialog"].into_iter();
    let found = programs.find(|program| folders.iter().any(|dir| dir.join(program).is_file()));
    match found {
        Some(program) => format!("{program}, since no desktop portal shows any"),
        None => "none: neither a desktop portal, zenity nor kdialog shows any".to_owned(),
    }
}

/// The version of the portal's file chooser; `None` if no backend has one.
#[cfg(target_os = "linux")]
fn portal_version() -> Option<u32> {
    use std::time::Duration;

    use zbus::connection::Builder;
    use zbus::zvariant::OwnedValue;
    use zbus::{Result, block_on};

    /// A portal that is not running has to start first.
    const TIMEOUT: Duration = Duration::from_secs(10);

    let asked: Result<u32> = block_on(async {
        let bus = Builder::session()?.method_timeout(TIMEOUT).build().await?;
        let reply = bus.call_method(
            Some("org.freedesktop.portal.Desktop"),
            "/org/freedesktop/portal/desktop",
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &("org.freedesktop.portal.FileChooser", "version"),
        );
        let value: OwnedValue = reply.await?.body().deserialize()?;
        Ok(u32::try_from(value)?)
    });
    asked.ok()
}

#[cfg(not(target_os = "linux"))]
fn portal_version() -> Option<u32> {
    None
}
