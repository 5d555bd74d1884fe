namespace Ashlar.Volumes;

/// <summary>Free chunks that are promised to one request: nobody else is given the last ones.</summary>
sealed class SpaceReservation(ChunkSpace space, long count) : IDisposable
{
    /// <summary>Chunks that can still be taken from it. Only <see cref="ChunkSpace"/> changes it, under its lock.</summary>
    public long Remaining { get; set; } = count;

    /// <summary>Gives back what was not taken.</summary>
    public void Dispose() => space.EndReservation(this);
}
