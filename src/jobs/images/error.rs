use std::path::PathBuf;

use crate::jobs::ItemError;
use crate::jobs::checksum::{ChecksumError, shown};
use crate::jobs::save::SaveError;

/// What a person has to settle before the job can run.
///
/// ```
/// use meanwhile::jobs::images::{Options, Problem};
///
/// assert_eq!(Options::default().check(true), Err(Problem::NoFolder));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is nothing to read.
    #[error("Add an image or a folder first.")]
    NoInputs,
    /// There is nowhere to save.
    #[error("There is no folder to save to; say which.")]
    NoFolder,
    /// A width or a height is 0.
    #[error("An image has at least 1 × 1 pixel; raise the width or the height.")]
    Size,
    /// The share of the size is none.
    #[error("The size can be more than 0 % and up to 10 000 %; choose another.")]
    Percent,
    /// The quality is none.
    #[error("The quality of a JPEG is 1 to 100; choose another.")]
    Quality,
}

impl From<Problem> for ItemError {
    fn from(problem: Problem) -> Self {
        Self {
            kind: "bad_options".to_owned(),
            message: problem.to_string(),
        }
    }
}

/// Why an image has no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImageError {
    #[error(transparent)]
    File(#[from] ChecksumError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error("{} is not an image of a kind that can be read here.", shown(path))]
    NotAnImage { path: PathBuf },
    #[error("{} can't be read as an image: {reason}.", shown(path))]
    Undecodable { path: PathBuf, reason: String },
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
        "{} takes more than {limit_mib} MiB of memory; raise the limit if you trust it.",
        shown(path)
    )]
    TooMuchMemory { path: PathBuf, limit_mib: u32 },
    #[error(
        "{} is in the folder that the results are saved in, or is that folder; choose another one.",
        shown(path)
    )]
    SameFolder { path: PathBuf },
    #[error(
        "{} would be saved as {}, which is an image that this job reads; choose another folder.",
        shown(path),
        shown(target)
    )]
    OverInput { path: PathBuf, target: PathBuf },
    #[error(
        "{} would be saved as {}, as {} is; have the results numbered.",
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
        "{} is there already, so {} was not saved; choose another folder, or number or overwrite.",
        shown(target),
        shown(path)
    )]
    Exists { path: PathBuf, target: PathBuf },
}

impl From<ImageError> for ItemError {
    fn from(error: ImageError) -> Self {
        let kind = match &error {
            ImageError::File(error) => error.kind(),
            ImageError::Save(_) => "not_saved",
            ImageError::NotAnImage { .. } => "not_an_image",
            ImageError::Undecodable { .. } => "undecodable",
            ImageError::Unencodable { .. } => "unencodable",
            ImageError::TooManyPixels { .. } | ImageError::TooMuchMemory { .. } => "too_large",
            ImageError::SameFolder { .. } => "same_folder",
            ImageError::OverInput { .. } => "over_input",
            ImageError::SameName { .. } => "same_name",
            ImageError::Exists { .. } => "exists",
        };
        Self {
            kind: kind.to_owned(),
            message: error.to_string(),
        }
    }
}
