//! PNGs with a palette, which keep it where they are only turned.

use std::io::{BufRead, Seek};

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageFormat};
use png::{BitDepth, ColorType};

use super::error::ImageError;
use super::read::{Picture, Source};
use super::size;

/// The colours of an image.
pub(super) struct Palette {
    colours: Vec<u8>,
    transparency: Option<Vec<u8>>,
    depth: BitDepth,
}

/// The indexes of a PNG that has a palette and whose result needs no other colours; `None` for any
/// other PNG, and for one that can't be read. The file is then at its begin again.
pub(super) fn read(
    source: &Source<'_>,
    file: &mut (impl BufRead + Seek),
) -> Result<Option<Picture>, ImageError> {
    if source.format != ImageFormat::Png || source.options.greyscale {
        return Ok(None);
    }
    let picture = read_indexes(source, &mut *file);
    if picture.is_none() {
        file.rewind().map_err(|error| source.io_failed(error))?;
    }
    Ok(picture)
}

fn read_indexes(source: &Source<'_>, file: impl BufRead + Seek) -> Option<Picture> {
    let limits = png::Limits {
        bytes: usize::try_from(source.max_alloc()).unwrap_or(usize::MAX),
    };
    let mut reader = png::Decoder::new_with_limits(file, limits)
        .read_info()
        .ok()?;
    let info = reader.info();
    let (width, height) = info.size();
    let exif = info.exif_metadata.as_ref().map(|exif| exif.to_vec());
    let orientation = exif.as_deref().and_then(Orientation::from_exif_chunk);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    let upright_size = size::upright(orientation, (width, height));
    let is_only_turned = size::is_only_turned(source.options, upright_size);
    if info.color_type != ColorType::Indexed || info.is_animated() || !is_only_turned {
        return None;
    }
    source
        .check_size(width, height, u64::from(width) * u64::from(height))
        .ok()?;
    let palette = Palette {
        colours: info.palette.as_ref()?.to_vec(),
        transparency: info.trns.as_ref().map(|alpha| alpha.to_vec()),
        depth: info.bit_depth,
    };
    let profile = info.icc_profile.as_ref().map(|profile| profile.to_vec());
    let mut packed = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut packed).ok()?;
    let rows = packed.chunks(frame.line_size.max(1));
    let indexes = rows.flat_map(|row| unpacked(row, palette.depth).take(width as usize));
    let indexes = GrayImage::from_raw(width, height, indexes.collect())?;
    let mut image = DynamicImage::from(indexes);
    image.apply_orientation(orientation);
    Some(Picture {
        frames: vec![image.into()],
        palette: Some(palette),
        profile,
        exif,
        ..Picture::default()
    })
}

/// The indexes of a row, and maybe a few more.
fn unpacked(row: &[u8], depth: BitDepth) -> impl Iterator<Item = u8> {
    let bits = depth as u8;
    let most = u8::MAX >> (8 - bits.min(8));
    row.iter().flat_map(move |byte| {
        let shifts = (0..8 / bits).rev();
        shifts.map(move |shift| (byte >> (shift * bits)) & most)
    })
}

/// The bytes of a row.
fn packed(row: &[u8], depth: BitDepth) -> impl Iterator<Item = u8> {
    let bits = depth as u8;
    let in_byte = usize::from(8 / bits);
    row.chunks(in_byte).map(move |indexes| {
        let missing = in_byte - indexes.len();
        let indexes = indexes
            .iter()
            .copied()
            .chain(std::iter::repeat_n(0, missing));
        indexes.fold(0, |byte, index| {
            if bits == 8 {
                index
            } else {
                byte << bits | index
            }
        })
    })
}

impl Palette {
    /// Appends the PNG of an image of indexes.
    pub(super) fn encode(
        &self,
        indexes: &DynamicImage,
        profile: Option<&[u8]>,
        exif: Option<&[u8]>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), png::EncodingError> {
        let mut info = png::Info::with_size(indexes.width(), indexes.height());
        info.color_type = ColorType::Indexed;
        info.bit_depth = self.depth;
        info.palette = Some((&self.colours).into());
        info.trns = self.transparency.as_ref().map(Into::into);
        info.icc_profile = profile.map(Into::into);
        info.exif_metadata = exif.map(Into::into);
        let mut writer = png::Encoder::with_info(bytes, info)?.write_header()?;
        let width = indexes.width().max(1) as usize;
        let rows = indexes.as_bytes().chunks(width);
        let packed: Vec<u8> = rows.flat_map(|row| packed(row, self.depth)).collect();
        writer.write_image_data(&packed)?;
        writer.finish()
    }
}
