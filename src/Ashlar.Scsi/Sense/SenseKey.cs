namespace Ashlar.Scsi;

/// <summary>Kind of condition that sense data reports (SPC-4, table 49).</summary>
public enum SenseKey
{
    /// <summary>Nothing to report.</summary>
    NoSense = 0x0,

    /// <summary>Done, after recovery.</summary>
    RecoveredError = 0x1,

    /// <summary>The unit cannot be reached.</summary>
    NotReady = 0x2,

    /// <summary>The medium failed, or the data on it is damaged.</summary>
    MediumError = 0x3,

    /// <summary>The target failed.</summary>
    HardwareError = 0x4,

    /// <summary>The command, or its parameters, make no sense here.</summary>
    IllegalRequest = 0x5,

    /// <summary>Something changed that the initiator must learn before it goes on.</summary>
    UnitAttention = 0x6,

    /// <summary>The blocks are protected against the access.</summary>
    DataProtect = 0x7,

    /// <summary>A copy between units ended before its end.</summary>
    CopyAborted = 0xA,

    /// <summary>The command was given up; trying again may help.</summary>
    AbortedCommand = 0xB,

    /// <summary>The data of the command differs from the data on the medium.</summary>
    Miscompare = 0xE,
}
