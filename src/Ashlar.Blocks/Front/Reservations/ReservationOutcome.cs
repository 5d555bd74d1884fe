namespace Ashlar.Blocks;

/// <summary>What became of something that was asked about reservations.</summary>
public enum ReservationOutcome
{
    /// <summary>It is done.</summary>
    Done = 0,

    /// <summary>Whoever asked is not registered, has another key, or somebody else has the reservation.</summary>
    Conflict,

    /// <summary>The reservation that was to be released has another type.</summary>
    OtherType,

    /// <summary>There are as many registrations as may be.</summary>
    Full,

    /// <summary>No key was named where there must be one.</summary>
    NoKey,
}
