//! Enumerations that CAMARA gives names to.

/// Defines an enumeration whose values have the names that CAMARA's definitions give them.
macro_rules! named {
    (
        $(#[$about:meta])*
        pub enum $type:ident { $($(#[$means:meta])* $value:ident = $name:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $($(#[$means])* $value,)+ }

        impl $type {
            /// All values, in the order of the definition.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// What CAMARA calls it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }

            /// The value of this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }

            /// The names of all values, for people.
            #[must_use]
            pub fn names() -> String {
                Self::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(", ")
            }
        }
    };
}

pub(super) use named;
