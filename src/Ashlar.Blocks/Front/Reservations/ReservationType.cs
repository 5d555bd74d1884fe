namespace Ashlar.Blocks;

/// <summary>Whom a persistent reservation keeps out of what. The numbers are those of SCSI (SPC-4, 5.12.7).</summary>
public enum ReservationType
{
    /// <summary>Only the holder writes.</summary>
    WriteExclusive = 1,

    /// <summary>Only the holder reads and writes.</summary>
    ExclusiveAccess = 3,

    /// <summary>Only registrants write; one of them holds the reservation.</summary>
    WriteExclusiveRegistrantsOnly = 5,

    /// <summary>Only registrants read and write; one of them holds the reservation.</summary>
    ExclusiveAccessRegistrantsOnly = 6,

    /// <summary>Only registrants write; all of them hold the reservation.</summary>
    WriteExclusiveAllRegistrants = 7,

    /// <summary>Only registrants read and write; all of them hold the reservation.</summary>
    ExclusiveAccessAllRegistrants = 8,
}

/// <summary>What follows from the type of a reservation.</summary>
public static class ReservationTypes
{
    /// <summary>Whether it is one of the six.</summary>
    public static bool IsKnown(this ReservationType type) => Enum.IsDefined(type);

    /// <summary>Whether each registrant holds the reservation.</summary>
    public static bool IsHeldByAll(this ReservationType type) =>
        type is ReservationType.WriteExclusiveAllRegistrants or ReservationType.ExclusiveAccessAllRegistrants;

    /// <summary>Whether others than the holder may do what it may, if they are registered.</summary>
    public static bool IsForRegistrants(this ReservationType type) => type >= ReservationType.WriteExclusiveRegistrantsOnly;

    /// <summary>Whether reads are for those alone who may write.</summary>
    public static bool CoversReads(this ReservationType type) => type is ReservationType.ExclusiveAccess
        or ReservationType.ExclusiveAccessRegistrantsOnly or ReservationType.ExclusiveAccessAllRegistrants;
}
