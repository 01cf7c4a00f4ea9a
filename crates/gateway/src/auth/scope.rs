//! What a token may be good for (CAMARA: one scope for each operation).

/// The right to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `createSession`
    SessionsCreate,
    /// `getSession`
    SessionsRead,
    /// `deleteSession`
    SessionsDelete,
    /// `extendQosSessionDuration`
    SessionsUpdate,
    /// `retrieveSessionsByDevice`
    SessionsRetrieveByDevice,
    /// `getQosProfile` and `retrieveQoSProfiles`
    ProfilesRead,
    /// `createQosAssignment`
    AssignmentsCreate,
    /// `getQosAssignmentById`
    AssignmentsRead,
    /// `revokeQosAssignment`
    AssignmentsDelete,
    /// `getQosAssignmentByDevice`
    AssignmentsReadByDevice,
}
