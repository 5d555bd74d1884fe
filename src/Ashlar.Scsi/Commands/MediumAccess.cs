namespace Ashlar.Scsi;

/// <summary>As what a command counts that does not move blocks, where others have a persistent reservation (SPC-4, table 66).</summary>
enum MediumAccess
{
    /// <summary>It is nobody's harm.</summary>
    None = 0,

    /// <summary>As a read.</summary>
    Read,

    /// <summary>As a write.</summary>
    Write,
}
