//! What the headers of a JPEG say about its layout: the decoders show some layouts wrongly, and don't say so.

/// The markers that begin the description of an image, whose pixels come line by line or ever finer, and
/// those that begin a scan and end the image.
const SEQUENTIAL: [u8; 2] = [0xc0, 0xc1];
const PROGRESSIVE: u8 = 0xc2;
const SCAN: u8 = 0xda;
const END: u8 = 0xd9;

/// The markers with their data, whatever is between them. What is within the data, such as a small picture,
/// does not count.
struct Segments<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let at = self.rest.iter().position(|&byte| byte == 0xff)?;
            self.rest = &self.rest[at + 1..];
            match *self.rest.first()? {
                // A filled byte.
                0xff => {}
                // A byte of the pixels, or a mark without data.
                0x00 | 0x01 | 0xd0..=0xd8 => self.rest = &self.rest[1..],
                END => {
                    self.rest = &[];
                    return Some((END, &[]));
                }
                marker => {
                    let len = u16::from_be_bytes([*self.rest.get(1)?, *self.rest.get(2)?]);
                    let (segment, rest) = self.rest.split_at_checked(1 + usize::from(len))?;
                    self.rest = rest;
                    return Some((marker, segment.get(3..).unwrap_or_default()));
                }
            }
        }
    }
}

/// Whether the image has an end, whatever follows it.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    Segments { rest: bytes }.any(|(marker, _)| marker == END)
}

/// How the colours of an image are stored.
pub(super) struct Layout {
    /// How often each colour is stored across and down.
    factors: Vec<(u8, u8)>,
    is_progressive: bool,
    /// Whether the first scan has all colours.
    is_in_one_scan: bool,
}

impl Layout {
    /// `None` if the headers do not say.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut layout: Option<Self> = None;
        for (marker, data) in (Segments { rest: bytes }) {
            if SEQUENTIAL.contains(&marker) || marker == PROGRESSIVE {
                let colours = data.get(6..)?.as_chunks::<3>().0;
                let colours = colours.iter().take(data[5].into());
                layout = Some(Self {
                    factors: colours
                        .map(|colour| (colour[1] >> 4, colour[1] & 0xf))
                        .collect(),
                    is_progressive: marker == PROGRESSIVE,
                    is_in_one_scan: false,
                });
            } else if marker == SCAN {
                let mut layout = layout?;
                layout.is_in_one_scan = usize::from(*data.first()?) == layout.factors.len();
                return Some(layout);
            }
        }
        None
    }

    /// The highest factors.
    fn most(&self) -> (u8, u8) {
        let (across, down): (Vec<_>, Vec<_>) = self.factors.iter().copied().unzip();
        let most = |factors: Vec<u8>| factors.into_iter().max().unwrap_or(1);
        (most(across), most(down))
    }

    /// How many pixels of the image have one of the coarsest colour, across or down.
    pub(super) fn coarseness(&self) -> u8 {
        let (across, down) = self.most();
        let of = |&(x, y): &(u8, u8)| (across / x.max(1)).max(down / y.max(1));
        self.factors.iter().map(of).max().unwrap_or(1)
    }

    /// Whether `zune-jpeg` shows such an image as it is. It takes the first colour for the finest, and loses
    /// its place among coarser ones if each scan has some of the colours.
    pub(super) fn suits_zune(&self) -> bool {
        let most = self.most();
        let is_plain = self.factors.iter().all(|&factors| factors == most);
        is_plain
            || self.factors.first() == Some(&most) && (self.is_progressive || self.is_in_one_scan)
    }

    /// Whether `rusty_jpeg` shows such an image as it is. In a scan of one colour, it knows the number of blocks
    /// only of the finest and of those with one in each unit.
    pub(super) fn suits_rusty(&self) -> bool {
        let (across, down) = self.most();
        let mut factors = self.factors.iter();
        factors.all(|factors| [1, across].contains(&factors.0) && [1, down].contains(&factors.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_within_a_header_is_not_the_end() {
        let start = b"\xff\xd8\xff\xe1\x00\x06\xff\xd8\xff\xd9";
        let scan = b"\xff\xda\x00\x02\x01\xff\x00\xd9\xff\xd0\x02";
        let cut = [&start[..], scan].concat();
        assert!(!has_end(&cut));
        assert!(has_end(&[&cut[..], b"\xff\xff\xd9\0\0"].concat()));
        for len in 0..cut.len() {
            assert!(!has_end(&cut[..len]), "{len}");
        }
    }
}
