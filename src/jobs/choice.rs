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
/// `Value => "title"` or `Value => "title", "hint"`.
macro_rules! choices {
    ($choice:ident { $($value:ident => $title:literal $(, $hint:literal)?),+ $(,)? }) => {
        impl $choice {
            /// Every value, in the order in which they are offered.
            pub const ALL: [Self; [$(stringify!($value)),+].len()] = [$(Self::$value),+];

            /// The name on screen.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$value => $title),+
                }
            }
        }

        impl $crate::jobs::Choice for $choice {
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
