namespace Ashlar.Scsi;

/// <summary>Which way a command's data goes.</summary>
public enum DataDirection
{
    /// <summary>No data.</summary>
    None = 0,

    /// <summary>From the unit to the initiator.</summary>
    In,

    /// <summary>From the initiator to the unit.</summary>
    Out,
}
