//! Options with a few fixed values.

/// An option with a few fixed values, which a form offers by their titles.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value, in the order in which they are offered.
    fn all() -> &'static [Self];

    /// The name on screen.
    fn title(self) -> &'static str;

    /// A sentence about the value; empty if the title says enough.
    fn hint(self) -> &'static str;
}

/// Implements [`Choice`], and `ALL` and `title` without the trait, from one list of all values:
/// `Value => "title"` or `Value => "title", "hint"`. The visibility is that of `ALL` and `title`.
macro_rules! choices {
    ($vis:vis $choice:ident { $($value:ident => $title:literal $(, $hint:literal)?),+ $(,)? }) => {
        impl $choice {
            /// Every value, in the order in which they are offered.
            $vis const ALL: [Self; [$(stringify!($value)),+].len()] = [$(Self::$value),+];

            /// The name on screen.
            $vis fn title(self) -> &'static str {
                match self {
                    $(Self::$value => $title),+
                }
            }
        }

        impl $crate::choice::Choice for $choice {
            fn all() -> &'static [Self] {
                &Self::ALL
            }

            fn title(self) -> &'static str {
                self.title()
            }

            fn hint(self) -> &'static str {
                match self {
                    $(Self::$value => concat!($($hint)?)),+
                }
            }
        }
    };
}

pub(crate) use choices;
