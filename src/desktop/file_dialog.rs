//! The file dialog of the desktop. On Linux it is that of the portal, and where no portal shows one, that of a
//! program.

use std::future::Future;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use zbus::block_on;

#[cfg(target_os = "linux")]
use crate::join;

#[cfg(target_os = "linux")]
mod portal;
#[cfg(target_os = "linux")]
mod programs;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogRequest {
    /// Pick any number of files.
    Files,
    /// Pick any number of folders.
    Folders,
    /// Pick one file.
    File { title: String },
    /// Pick one folder.
    Folder { title: String },
    /// Pick a path for a new file.
    Save { title: String, file_name: String },
}

impl DialogRequest {
    fn title(&self) -> &str {
        match self {
            Self::Files => "Add files",
            Self::Folders => "Add folders",
            Self::File { title } | Self::Folder { title } | Self::Save { title, .. } => title,
        }
    }
}

#[cfg(target_os = "linux")]
impl DialogRequest {
    fn is_for_many(&self) -> bool {
        matches!(self, Self::Files | Self::Folders)
    }

    fn is_for_folders(&self) -> bool {
        matches!(self, Self::Folders | Self::Folder { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogAnswer {
    /// The user picked these paths, at least one.
    Picked(Vec<PathBuf>),
    Cancelled,
    /// The user picked something, and the dialog did not say where that is: it is in no folder of this system, or its
    /// name is not UTF-8 and the dialog can't write it.
    NoPath,
    /// No dialog could be shown.
    Unavailable,
}

/// Shows a dialog in front of the window that `frame` belongs to. It closes with this program.
#[cfg(target_os = "linux")]
pub(crate) fn show(
    request: DialogRequest,
    frame: &eframe::Frame,
) -> impl Future<Output = DialogAnswer> + use<> {
    let parent = portal::Parent::of(frame);
    async move {
        let parent = parent.identifier().await;
        // A user may pick so many files that a frame has no time to read their names.
        let shown = join::Builder::new("file dialog")
            .daemon(true)
            .spawn_owned(move |context| {
                let of_portal = block_on(portal::show(&request, parent.as_ref()));
                of_portal.unwrap_or_else(|| programs::show(&request, &context.token()))
            });
        let Ok(mut shown) = shown else {
            return DialogAnswer::Unavailable;
        };
        (&mut shown).await.unwrap_or(DialogAnswer::Unavailable)
    }
}

/// Shows a dialog in front of the window that `frame` belongs to.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show(
    request: DialogRequest,
    frame: &eframe::Frame,
) -> impl Future<Output = DialogAnswer> + use<> {
    let dialog = rfd::AsyncFileDialog::new()
        .set_parent(frame)
        .set_title(request.title());
    async move {
        let one = |file: Option<rfd::FileHandle>| file.map(|file| vec![file]);
        let files = match request {
            DialogRequest::Files => dialog.pick_files().await,
            DialogRequest::Folders => dialog.pick_folders().await,
            DialogRequest::File { .. } => one(dialog.pick_file().await),
            DialogRequest::Folder { .. } => one(dialog.pick_folder().await),
            DialogRequest::Save { file_name, .. } => {
                one(dialog.set_file_name(file_name).save_file().await)
            }
        };
        // The system has the dialog itself, so it is always there.
        let files = files.unwrap_or_default();
        picked(files.iter().map(|file| file.path().to_owned()).collect())
    }
}

/// Who shows the dialogs, in a few words. May block for as long as the desktop takes to answer.
#[cfg(target_os = "linux")]
pub(crate) fn shown_by() -> String {
    if let Some(version) = portal::version() {
        return format!("desktop portal, version {version} of its file chooser");
    }
    match programs::installed() {
        Some(program) => format!("{program}, since no desktop portal shows any"),
        None => "none: neither a desktop portal, zenity nor kdialog shows any".to_owned(),
    }
}

/// Who shows the dialogs, in a few words.
#[cfg(not(target_os = "linux"))]
pub(crate) fn shown_by() -> String {
    "of the system".to_owned()
}

fn picked(paths: Vec<PathBuf>) -> DialogAnswer {
    if paths.is_empty() {
        DialogAnswer::Cancelled
    } else {
        DialogAnswer::Picked(paths)
    }
}
