//! Lets the decoder of TIFFs read colours that it refuses: it sees the name of others, with as many values.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use tiff::TiffError;
use tiff::decoder::{Decoder, Limits};
use tiff::tags::{ByteOrder, Tag};

use crate::join::Context;

/// Values of `PhotometricInterpretation`.
pub(super) const GREY: u16 = 1;
pub(super) const RGB: u16 = 2;
pub(super) const PALETTE: u16 = 3;
pub(super) const LAB: u16 = 8;
/// As [`LAB`], but no value is negative.
pub(super) const ICC_LAB: u16 = 9;

/// The version of a TIFF with lengths of 64 bits.
const BIG: u16 = 43;

/// Types of values.
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// The most bytes of a value that is changed.
const MOST: u64 = 4;

/// A file with some bytes that are others than in it.
pub(super) struct Relabelled<R> {
    file: R,
    at: u64,
    /// The place of each value and its bytes there, from the first to the last.
    changed: Vec<(u64, Vec<u8>)>,
}

/// A file with other words for some colours, at its begin, and what it says of each image: the value of
/// `PhotometricInterpretation`.
type Renamed<R> = (BufReader<Relabelled<R>>, Vec<Option<u16>>);

pub(super) fn relabelled<R: BufRead + Seek>(
    mut file: R,
    limits: Limits,
    context: &Context,
) -> Result<Renamed<R>, TiffError> {
    let mut meanings = Vec::new();
    let mut places = Vec::new();
    let mut decoder = Decoder::new(&mut file)?.with_limits(limits);
    let order = decoder.byte_order();
    loop {
        context.checkpoint();
        let meaning = decoder.find_tag_unsigned(Tag::PhotometricInterpretation)?;
        let word = match meaning {
            Some(PALETTE) => Some(GREY),
            Some(LAB | ICC_LAB) => Some(RGB),
            _ => None,
        };
        places.extend(
            decoder
                .ifd_pointer()
                .zip(word)
                .map(|(at, word)| (at.0, word)),
        );
        meanings.push(meaning);
        // What is wrong with the next is said when it is read.
        if !decoder.more_images() || decoder.next_image().is_err() {
            break;
        }
    }
    let mut changed = Vec::new();
    for (at, word) in places {
        context.checkpoint();
        changed.extend(value_of_colours(&mut file, at, order, word)?);
    }
    changed.sort_unstable();
    file.rewind()?;
    let at = 0;
    Ok((BufReader::new(Relabelled { file, at, changed }), meanings))
}

/// The place of the value in the description of an image, and the bytes for another one.
fn value_of_colours(
    file: &mut (impl Read + Seek),
    at: u64,
    order: ByteOrder,
    word: u16,
) -> io::Result<Option<(u64, Vec<u8>)>> {
    file.seek(SeekFrom::Start(2))?;
    let is_big = short(file, order)? == BIG;
    file.seek(SeekFrom::Start(at))?;
    let (count, entry_len) = if is_big {
        (long(file, order)?, 20)
    } else {
        (u64::from(short(file, order)?), 12)
    };
    let entries = file.stream_position()?;
    let value = if is_big { 12 } else { 8 };
    for number in 0..count {
        let entry = entries.saturating_add(number.saturating_mul(entry_len));
        file.seek(SeekFrom::Start(entry))?;
        let (tag, kind) = (short(file, order)?, short(file, order)?);
        if tag == Tag::PhotometricInterpretation.to_u16() {
            let bytes = match (kind, order) {
                (SHORT, ByteOrder::LittleEndian) => word.to_le_bytes().to_vec(),
                (SHORT, ByteOrder::BigEndian) => word.to_be_bytes().to_vec(),
                (LONG, ByteOrder::LittleEndian) => u32::from(word).to_le_bytes().to_vec(),
                (LONG, ByteOrder::BigEndian) => u32::from(word).to_be_bytes().to_vec(),
                _ => return Ok(None),
            };
            return Ok(Some((entry + value, bytes)));
        }
    }
    Ok(None)
}

fn short(file: &mut impl Read, order: ByteOrder) -> io::Result<u16> {
    let mut bytes = [0; 2];
    file.read_exact(&mut bytes)?;
    Ok(match order {
        ByteOrder::LittleEndian => u16::from_le_bytes(bytes),
        ByteOrder::BigEndian => u16::from_be_bytes(bytes),
    })
}

fn long(file: &mut impl Read, order: ByteOrder) -> io::Result<u64> {
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    Ok(match order {
        ByteOrder::LittleEndian => u64::from_le_bytes(bytes),
        ByteOrder::BigEndian => u64::from_be_bytes(bytes),
    })
}

impl<R: Read> Read for Relabelled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let end = self.at + read as u64;
        let from = self.changed.partition_point(|(at, _)| at + MOST <= self.at);
        let to = self.changed.partition_point(|(at, _)| *at < end);
        for (at, bytes) in self.changed.get(from..to).unwrap_or_default() {
            for (place, byte) in (*at..).zip(bytes) {
                let index = place.checked_sub(self.at);
                let index = index.and_then(|index| usize::try_from(index).ok());
                if let Some(changed) = index.and_then(|index| buffer[..read].get_mut(index)) {
                    *changed = *byte;
                }
            }
        }
        self.at = end;
        Ok(read)
    }
}

impl<R: Seek> Seek for Relabelled<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tiff::encoder::{TiffEncoder, colortype};

    use super::*;
    use crate::join::{self, JoinError};

    const PAGES: usize = 500;

    fn many_pages() -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file).expect("in memory");
        for _ in 0..PAGES {
            let written = encoder.write_image::<colortype::Gray8>(1, 1, &[0]);
            written.expect("in memory");
        }
        file.into_inner()
    }

    /// A file that counts how often it is sought, and cancels the task that reads it at some of them.
    struct Cancelling {
        file: Cursor<Vec<u8>>,
        context: Context,
        cancels_at: usize,
        seeks: Arc<AtomicUsize>,
    }

    impl Read for Cancelling {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.file.read(buffer)
        }
    }

    impl BufRead for Cancelling {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            self.file.fill_buf()
        }

        fn consume(&mut self, amount: usize) {
            self.file.consume(amount);
        }
    }

    impl Seek for Cancelling {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            if self.seeks.fetch_add(1, Ordering::Relaxed) == self.cancels_at {
                self.context.token().cancel();
            }
            self.file.seek(to)
        }
    }

    /// How often the file is sought if its reading is cancelled at this seek, and how many pages are found.
    fn seeks_of(cancels_at: usize) -> (usize, Result<usize, JoinError>) {
        let seeks = Arc::new(AtomicUsize::new(0));
        let counted = seeks.clone();
        let task = join::spawn("reads", move |context| {
            let file = Cancelling {
                file: Cursor::new(many_pages()),
                context: context.clone(),
                cancels_at,
                seeks: counted,
            };
            let read = relabelled(file, Limits::default(), context);
            read.map_or(0, |(_, meanings)| meanings.len())
        });
        let found = task.expect("a thread").join().copied();
        (seeks.load(Ordering::Relaxed), found)
    }

    #[test]
    fn cancel_ends_the_look_at_many_pages() {
        let (all, found) = seeks_of(usize::MAX);
        assert_eq!(found.ok(), Some(PAGES));
        let (until_cancel, ended) = seeks_of(all / 4);
        assert!(matches!(ended, Err(JoinError::Cancelled)), "{ended:?}");
        assert!(until_cancel < all / 3, "{until_cancel} of {all}");
    }
}
