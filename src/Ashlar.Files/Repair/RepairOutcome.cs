namespace Ashlar.Files;

/// <summary>What became of a block that was looked after.</summary>
public enum RepairOutcome
{
    /// <summary>It has all the copies that it should have, each verified.</summary>
    Whole = 0,

    /// <summary>It has as many copies as it can have now, or as are known to be.</summary>
    Short,

    /// <summary>
    /// No copy that can be asked for is what it should be, or what the catalogue tells of it is damaged. Nothing was changed: what is left
    /// may be all that there is.
    /// </summary>
    Unreadable,

    /// <summary>It is being deleted, or nobody knows of it any more.</summary>
    Gone,
}
