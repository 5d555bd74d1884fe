namespace Ashlar.KeyValue.Log;

/// <summary>What a write may use of a disk that is full, from the least to the most.</summary>
enum SpaceClaim
{
    /// <summary>Nothing: it waits until there is room again.</summary>
    None = 0,

    /// <summary>The part of the reserve that deletes do not need.</summary>
    PartOfReserve,

    /// <summary>All of the reserve: it only deletes, or writes nothing.</summary>
    All,
}
