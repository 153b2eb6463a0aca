//! The dialog of the desktop portal, as
//! <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.FileChooser.html> says.

use std::future::{Future as _, poll_fn};
use std::path::PathBuf;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use ashpd::desktop::ResponseError;
use ashpd::desktop::file_chooser::{FileChooserProxy, OpenFileOptions, SaveFileOptions};
use ashpd::{Error, Uri, WindowIdentifier};
use raw_window_handle::{
    HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle,
};
use url::Url;
use zbus::block_on;
use zbus::connection::Builder;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::zvariant::OwnedValue;

use super::{DialogAnswer, DialogRequest, picked};

/// No user closes a dialog within this time.
const MIN_CLOSE_TIME: Duration = Duration::from_millis(250);

/// How the names begin on the bus of the programs that show dialogs for the portal.
const BACKENDS: &str = "org.freedesktop.impl.portal.desktop.";

/// The window in front of which the dialog is shown.
pub(super) struct Parent {
    window: Option<RawWindowHandle>,
    display: Option<RawDisplayHandle>,
}

impl Parent {
    pub(super) fn of(frame: &eframe::Frame) -> Self {
        Self {
            window: frame.window_handle().ok().map(|handle| handle.as_raw()),
            display: frame.display_handle().ok().map(|handle| handle.as_raw()),
        }
    }

    pub(super) async fn identifier(&self) -> Option<WindowIdentifier> {
        WindowIdentifier::from_raw_handle(self.window.as_ref()?, self.display.as_ref()).await
    }
}

/// Returns `None` if the portal shows no dialog: it is not there, has none, or the part that shows it does not start.
pub(super) async fn show(
    request: &DialogRequest,
    parent: Option<&WindowIdentifier>,
) -> Option<DialogAnswer> {
    let chooser = FileChooserProxy::new().await.ok()?;
    let mut answer = pin!(answer(&chooser, request, parent));
    let mut end = pin!(end_of(&chooser));
    poll_fn(|context| {
        // A portal may end once it has answered.
        match answer.as_mut().poll(context) {
            Poll::Pending => end.as_mut().poll(context).map(|()| None),
            answered @ Poll::Ready(_) => answered,
        }
    })
    .await
}

async fn answer(
    chooser: &FileChooserProxy,
    request: &DialogRequest,
    parent: Option<&WindowIdentifier>,
) -> Option<DialogAnswer> {
    let title = request.title();
    let asked = Instant::now();
    let answered = if let DialogRequest::Save { file_name, .. } = request {
        let options = SaveFileOptions::default().set_current_name(file_name.as_str());
        chooser.save_file(parent, title, options).await
    } else {
        let options = OpenFileOptions::default()
            .set_multiple(request.is_for_many())
            .set_directory(request.is_for_folders());
        chooser.open_file(parent, title, options).await
    };
    match answered.and_then(|answered| answered.response()) {
        Ok(files) => {
            let paths: Option<Vec<_>> = files.uris().iter().map(path_of).collect();
            Some(paths.map_or(DialogAnswer::NoPath, picked))
        }
        Err(Error::Response(ResponseError::Cancelled)) => Some(DialogAnswer::Cancelled),
        // The portal says the same if the user closes the dialog of GTK by Escape, and if there was none.
        Err(Error::Response(ResponseError::Other)) => {
            let was_shown = asked.elapsed() > MIN_CLOSE_TIME && has_backend(chooser).await;
            was_shown.then_some(DialogAnswer::Cancelled)
        }
        Err(_) => None,
    }
}

/// Whether a program runs that shows dialogs for the portal.
async fn has_backend(chooser: &FileChooserProxy) -> bool {
    let Ok(bus) = DBusProxy::new(chooser.connection()).await else {
        return false;
    };
    let names = bus.list_names().await.unwrap_or_default();
    names.iter().any(|name| name.starts_with(BACKENDS))
}

fn path_of(uri: &Uri) -> Option<PathBuf> {
    let url = Url::parse(uri.as_str()).ok()?;
    // The library makes a path of any address.
    (url.scheme() == "file").then(|| url.to_file_path().ok())?
}

/// Returns when the portal has left the bus: it answers nothing then.
async fn end_of(chooser: &FileChooserProxy) {
    let Ok(mut owners) = chooser.receive_owner_changed().await else {
        return std::future::pending().await;
    };
    while let Some(owner) = owners.next().await {
        if owner.is_none() {
            return;
        }
    }
}

/// A portal that is not running has to start first.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// The version of the portal's file chooser; `None` if no backend has one. Blocks.
pub(super) fn version() -> Option<u32> {
    let asked: zbus::Result<u32> = block_on(async {
        let bus = Builder::session()?.method_timeout(START_TIMEOUT);
        let bus = bus.build().await?;
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
