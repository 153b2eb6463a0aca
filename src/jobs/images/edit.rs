//! Edits one image: reads it, edits it step by step, saves it atomically.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat};

use super::colours::{describes, in_srgb, keeps_profile};
use super::encode::{Encoding, keeps_exif};
use super::error::ImageError;
use super::names::folder_of;
use super::palette_gif::IndexedGif;
use super::read::{Frame, LeftOut, Picture, Source, sentence_end};
use super::resize::resized;
use super::{Damaged, Flip, IfExists, Options, Saved, format_of, size};
use crate::jobs::checksum::open_regular;
use crate::jobs::identity::{FileIdentity, identity};
use crate::jobs::save::{PendingFile, SaveError};
use crate::jobs::{Item, ItemError, Step};
use crate::join::Context;

pub(super) fn run(options: &Options, item: &Item, context: &Context) -> Result<Saved, ItemError> {
    let name = match &item.step {
        Step::Fail(error) => return Err(error.clone()),
        Step::SaveAs { name } => PathBuf::from(name),
        _ => options.target_name(&item.input),
    };
    let target = options.to.join(name);
    let edit = Edit {
        source: Source {
            options,
            path: &item.input,
            format: format_of(&target).unwrap_or(ImageFormat::Png),
            context,
        },
        target,
    };
    edit.run().map_err(ItemError::from)
}

struct Edit<'a> {
    source: Source<'a>,
    target: PathBuf,
}

/// A result that is to be saved.
struct Edited {
    bytes: Vec<u8>,
    /// The width and the height in pixels.
    size: (u32, u32),
    /// As in [`Saved::remarks`].
    remarks: Vec<String>,
}

impl Edit<'_> {
    fn run(&self) -> Result<Saved, ImageError> {
        let (file, metadata) = open_regular(self.source.path)?;
        self.check_target(identity(&metadata))?;
        let len = metadata.len();
        let picture = self.source.read(file, len)?;
        let edited = self.edit(picture)?;
        self.source.context.checkpoint();
        let modified = metadata.modified().ok();
        let modified = modified.filter(|_| self.source.options.keep_dates);
        let saved_to = self.save(&edited.bytes, modified)?;
        self.source.context.set_progress(len, len);
        let (width, height) = edited.size;
        Ok(Saved {
            saved_to,
            width,
            height,
            bytes: edited.bytes.len() as u64,
            input_bytes: len,
            remarks: edited.remarks,
        })
    }

    fn edit(&self, mut picture: Picture) -> Result<Edited, ImageError> {
        if let Some(gif) = picture.gif {
            return self.turn(gif);
        }
        let mut remarks = Vec::new();
        if let Some(what) = picture.damage.take() {
            if self.source.options.damaged == Damaged::Refuse {
                let path = self.source.path.to_owned();
                return Err(ImageError::Damaged { path, what });
            }
            remarks.push(format!("it is damaged: {what}"));
        }
        remarks.extend(picture.left_out.as_ref().map(|left_out| match left_out {
            LeftOut::Frames => "only its first frame is saved; a GIF or a PNG has all".to_owned(),
            LeftOut::Pages => "only its first page is saved; a TIFF has all".to_owned(),
        }));
        remarks.append(&mut picture.lost);
        let exif = picture
            .exif
            .take()
            .filter(|_| self.source.options.keep_exif);
        let mut exif = exif.map(|mut exif| {
            // The pixels are turned already.
            let _turned = Orientation::remove_from_exif_chunk(&mut exif);
            exif
        });
        if exif
            .take_if(|exif| !keeps_exif(self.source.format, exif.len()))
            .is_some()
        {
            remarks.push("its EXIF data is not kept: the format has no place for it".to_owned());
        }
        let profile = self.fit_profile(&mut picture, &mut remarks);
        let mut frames = Vec::new();
        for Frame { image, delay } in picture.frames {
            let image = self.edit_frame(image, picture.full_size)?;
            frames.push(Frame { image, delay });
        }
        let encoding = Encoding {
            format: self.source.format,
            quality: self.source.options.quality,
            plays: picture.plays,
            palette: picture.palette.as_ref(),
            profile: profile.as_deref(),
            exif: exif.as_deref(),
        };
        let bytes = encoding
            .encode(&frames)
            .map_err(|error| self.unencodable(&error))?;
        let size = frames
            .first()
            .map_or((0, 0), |frame| (frame.image.width(), frame.image.height()));
        Ok(Edited {
            bytes,
            size,
            remarks,
        })
    }

    /// A GIF that keeps its palettes.
    fn turn(&self, gif: IndexedGif) -> Result<Edited, ImageError> {
        self.source.context.checkpoint();
        let gif = gif.turned(self.source.options);
        let bytes = gif.encode();
        let bytes = bytes.map_err(|error| self.unencodable(&error))?;
        let (width, height) = gif.size;
        Ok(Edited {
            bytes,
            size: (width.into(), height.into()),
            remarks: Vec::new(),
        })
    }

    /// The profile for the result. Where that has no place for it, or other colours, the colours are
    /// converted.
    fn fit_profile(&self, picture: &mut Picture, remarks: &mut Vec<String>) -> Option<Vec<u8>> {
        let profile = picture.profile.take()?;
        if picture.palette.is_some() {
            return Some(profile);
        }
        let is_described = |frame: &Frame| describes(&profile, &frame.image);
        let keeps = keeps_profile(self.source.format) && !self.source.options.greyscale;
        if keeps && picture.frames.iter().all(is_described) {
            return Some(profile);
        }
        let converted = picture
            .frames
            .iter()
            .map(|frame| in_srgb(&frame.image, &profile));
        match converted.collect::<Option<Vec<_>>>() {
            Some(converted) => {
                for (frame, image) in picture.frames.iter_mut().zip(converted) {
                    frame.image = image;
                }
            }
            None => remarks.push("its colour profile can't be used and is left out".to_owned()),
        }
        None
    }

    /// Fails early if the result could not be saved.
    fn check_target(&self, source: FileIdentity) -> Result<(), ImageError> {
        let (path, target) = (self.source.path.to_owned(), self.target.clone());
        if fs::metadata(&target).is_ok_and(|there| identity(&there) == source) {
            return Err(ImageError::OverInput { path, target });
        }
        let Ok(there) = target.symlink_metadata() else {
            return Ok(());
        };
        match self.source.options.existing {
            IfExists::Refuse | IfExists::Skip => Err(ImageError::Exists { path, target }),
            IfExists::Overwrite if !there.is_file() && !there.is_symlink() => {
                Err(SaveError::NotAFile { path: target }.into())
            }
            IfExists::Number | IfExists::Overwrite => Ok(()),
        }
    }

    /// Edits an image, which has the size of the result already if it was read only as far as needed.
    fn edit_frame(
        &self,
        mut image: DynamicImage,
        full_size: Option<(u32, u32)>,
    ) -> Result<DynamicImage, ImageError> {
        self.source.context.checkpoint();
        let full_size = full_size.unwrap_or((image.width(), image.height()));
        let size = size::after(self.source.options, full_size);
        image.apply_orientation(size::turn(self.source.options.rotate));
        self.source.context.checkpoint();
        image.apply_orientation(match self.source.options.flip {
            Flip::No => Orientation::NoTransforms,
            Flip::Horizontal => Orientation::FlipHorizontal,
            Flip::Vertical => Orientation::FlipVertical,
        });
        self.source.context.checkpoint();
        let image = self.resize(image, size)?;
        self.source.context.checkpoint();
        if self.source.options.greyscale {
            return Ok(image.grayscale());
        }
        Ok(image)
    }

    fn resize(
        &self,
        image: DynamicImage,
        (width, height): (u32, u32),
    ) -> Result<DynamicImage, ImageError> {
        if (width, height) == (image.width(), image.height()) {
            return Ok(image);
        }
        self.source.check_pixels("would have", width, height)?;
        resized(&image, (width, height), self.source.options.filter)
            .map_err(|error| self.source.undecodable(&error))
    }

    fn unencodable(&self, error: &impl ToString) -> ImageError {
        let extensions = self.source.format.extensions_str();
        ImageError::Unencodable {
            path: self.source.path.to_owned(),
            format: extensions.first().unwrap_or(&"an image"),
            reason: sentence_end(&error.to_string()),
        }
    }

    fn save(&self, bytes: &[u8], modified: Option<SystemTime>) -> Result<PathBuf, ImageError> {
        let saved = self.save_new(bytes, modified);
        saved.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => ImageError::Exists {
                path: self.source.path.to_owned(),
                target: self.target.clone(),
            },
            _ => SaveError::from_io(&self.target, error).into(),
        })
    }

    fn save_new(&self, bytes: &[u8], modified: Option<SystemTime>) -> io::Result<PathBuf> {
        let folder = folder_of(&self.target);
        fs::create_dir_all(folder)?;
        let mut file = PendingFile::create(folder)?;
        file.write_all(bytes)?;
        if let Some(modified) = modified {
            file.set_modified(modified);
        }
        match self.source.options.existing {
            IfExists::Refuse | IfExists::Skip => file.persist_new(&self.target)?,
            IfExists::Overwrite => file.persist_over(&self.target)?,
            IfExists::Number => {
                let name = self.target.file_name().unwrap_or_default();
                return file.persist_numbered(folder, name, 1);
            }
        }
        Ok(self.target.clone())
    }
}
