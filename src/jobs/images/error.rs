use std::path::PathBuf;

use crate::format;
use crate::jobs::ItemError;
use crate::jobs::checksum::ChecksumError;
use crate::jobs::save::SaveError;
use crate::jobs::text::shown;

/// A problem with the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageOptionsError {
    /// There are no inputs.
    #[error("Add an image or a folder first.")]
    NoInputs,
    /// There is no folder to save to.
    #[error("Choose a folder to save to.")]
    NoFolder,
    /// A width or a height is 0.
    #[error("An image has at least 1 × 1 pixel; raise the width or the height.")]
    Size,
    /// The percentage is out of range.
    #[error("The percentage must be more than 0 and at most 10 000.")]
    Percent,
    /// The quality is out of range.
    #[error("The quality of a JPEG must be from 1 to 100.")]
    Quality,
}

impl From<ImageOptionsError> for ItemError {
    fn from(error: ImageOptionsError) -> Self {
        Self::new("bad_options", error.to_string())
    }
}

/// The reason that an image has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImageError {
    #[error(transparent)]
    File(#[from] ChecksumError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error("{} is not an image in a supported format.", shown(path))]
    NotAnImage { path: PathBuf },
    #[error("{} can't be read as an image: {reason}.", shown(path))]
    Undecodable { path: PathBuf, reason: String },
    #[error(
        "{} is damaged: {what}; choose to keep damaged images to save the rest of it.",
        shown(path)
    )]
    Damaged { path: PathBuf, what: String },
    #[error("{} can't be written as {format}: {reason}.", shown(path))]
    Unencodable {
        path: PathBuf,
        format: &'static str,
        reason: String,
    },
    #[error(
        "{} {verb} {width} × {height} pixels, more than {limit} million; raise the limit if you trust it.",
        shown(path)
    )]
    TooManyPixels {
        path: PathBuf,
        verb: &'static str,
        width: u32,
        height: u32,
        limit: u32,
    },
    #[error(
        "{} needs more than {} of memory; raise the limit if you trust it.",
        shown(path),
        format::bytes(u64::from(*limit_mib) << 20)
    )]
    TooMuchMemory { path: PathBuf, limit_mib: u32 },
    #[error(
        "{} is in the folder for the results; choose another folder for them.",
        shown(path)
    )]
    SameFolder { path: PathBuf },
    #[error(
        "{} would be saved as {}, which is an input of this job; choose another folder.",
        shown(path),
        shown(target)
    )]
    OverInput { path: PathBuf, target: PathBuf },
    #[error(
        "{} would be saved as {}, like {}; choose to number the results.",
        shown(path),
        shown(target),
        shown(other)
    )]
    SameName {
        path: PathBuf,
        target: PathBuf,
        other: PathBuf,
    },
    #[error(
        "{} already exists, so {} was not saved; choose another folder, or number or overwrite the results.",
        shown(target),
        shown(path)
    )]
    Exists { path: PathBuf, target: PathBuf },
}

impl From<ImageError> for ItemError {
    fn from(error: ImageError) -> Self {
        let kind = match &error {
            ImageError::File(error) => error.kind(),
            ImageError::Save(error) => error.kind(),
            ImageError::NotAnImage { .. } => "not_an_image",
            ImageError::Undecodable { .. } => "undecodable",
            ImageError::Damaged { .. } => "damaged",
            ImageError::Unencodable { .. } => "unencodable",
            ImageError::TooManyPixels { .. } | ImageError::TooMuchMemory { .. } => "too_large",
            ImageError::SameFolder { .. } => "same_folder",
            ImageError::OverInput { .. } => "over_input",
            ImageError::SameName { .. } => "same_name",
            ImageError::Exists { .. } => "exists",
        };
        Self::new(kind, error.to_string())
    }
}
