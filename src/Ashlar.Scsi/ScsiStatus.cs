namespace Ashlar.Scsi;

/// <summary>How a command ended (SAM-5, 5.3.1).</summary>
public enum ScsiStatus
{
    /// <summary>Done.</summary>
    Good = 0x00,

    /// <summary>Refused, failed, or a unit attention is reported: the sense data says which.</summary>
    CheckCondition = 0x02,

    /// <summary>Done, and all that was prefetched fits the cache.</summary>
    ConditionMet = 0x04,

    /// <summary>The unit cannot take the command now; try again.</summary>
    Busy = 0x08,

    /// <summary>Another initiator has reserved the unit.</summary>
    ReservationConflict = 0x18,

    /// <summary>Too many commands are in flight; try again with fewer.</summary>
    TaskSetFull = 0x28,

    /// <summary>Aborted by another initiator.</summary>
    TaskAborted = 0x40,
}
