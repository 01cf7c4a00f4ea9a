//! What a token may be good for: one scope for each operation of the CAMARA APIs.

/// The right to one operation, by the name that the APIs give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `quality-on-demand:sessions:create`
    SessionsCreate,
    /// `quality-on-demand:sessions:read`
    SessionsRead,
    /// `quality-on-demand:sessions:update`
    SessionsUpdate,
    /// `quality-on-demand:sessions:delete`
    SessionsDelete,
    /// `quality-on-demand:sessions:retrieve-by-device`
    SessionsRetrieveByDevice,
    /// `qos-profiles:read`
    ProfilesRead,
    /// `qos-provisioning:qos-assignments:create`
    AssignmentsCreate,
    /// `qos-provisioning:qos-assignments:read`
    AssignmentsRead,
    /// `qos-provisioning:qos-assignments:delete`
    AssignmentsDelete,
    /// `qos-provisioning:qos-assignments:read-by-device`
    AssignmentsReadByDevice,
}

impl Scope {
    /// Every scope that there is.
    pub const ALL: [Self; 10] = [
        Self::SessionsCreate,
        Self::SessionsRead,
        Self::SessionsUpdate,
        Self::SessionsDelete,
        Self::SessionsRetrieveByDevice,
        Self::ProfilesRead,
        Self::AssignmentsCreate,
        Self::AssignmentsRead,
        Self::AssignmentsDelete,
        Self::AssignmentsReadByDevice,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SessionsCreate => "quality-on-demand:sessions:create",
            Self::SessionsRead => "quality-on-demand:sessions:read",
            Self::SessionsUpdate => "quality-on-demand:sessions:update",
            Self::SessionsDelete => "quality-on-demand:sessions:delete",
            Self::SessionsRetrieveByDevice => "quality-on-demand:sessions:retrieve-by-device",
            Self::ProfilesRead => "qos-profiles:read",
            Self::AssignmentsCreate => "qos-provisioning:qos-assignments:create",
            Self::AssignmentsRead => "qos-provisioning:qos-assignments:read",
            Self::AssignmentsDelete => "qos-provisioning:qos-assignments:delete",
            Self::AssignmentsReadByDevice => "qos-provisioning:qos-assignments:read-by-device",
        }
    }

    /// The scope of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// The scopes that a caller has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Granted(u16);

impl Granted {
    /// All of them: what an application key has.
    pub const ALL: Self = Self((1 << Scope::ALL.len()) - 1);

    /// Those that a token names, separated by spaces. What is no scope here is another API's.
    #[must_use]
    pub fn read(text: &str) -> Self {
        text.split(' ').filter_map(Scope::parse).collect()
    }

    /// Whether this scope is one of them.
    #[must_use]
    pub fn has(self, scope: Scope) -> bool {
        self.0 & bit(scope) != 0
    }
}

impl FromIterator<Scope> for Granted {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | bit(scope)))
    }
}

fn bit(scope: Scope) -> u16 {
    1 << (scope as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_has_a_name_and_a_bit_of_its_own() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            let alone = Granted::read(scope.as_str());
            for other in Scope::ALL {
                assert_eq!(alone.has(other), other == scope, "{scope:?} and {other:?}");
            }
        }
        assert_eq!(Scope::ALL.into_iter().collect::<Granted>(), Granted::ALL);
        assert_eq!(Granted::read("qos-profiles:rea x  quality-on-demand"), Granted::default());
    }
}
