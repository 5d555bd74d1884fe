namespace Ashlar.Volumes;

/// <summary>Where a resizing is; written by the one that resizes, read by anybody.</summary>
sealed class ResizeProgress(long fromBytes, long toBytes)
{
    readonly long startBytes = Math.Min(fromBytes, toBytes);
    readonly long endBytes = Math.Max(fromBytes, toBytes);
    long reachedBytes = Math.Min(fromBytes, toBytes);

    /// <summary>All before an offset is done.</summary>
    public void Reach(long offsetBytes) => Volatile.Write(ref reachedBytes, offsetBytes);

    public VolumeResize ToFacts() =>
        new(fromBytes, toBytes, Math.Clamp(Volatile.Read(ref reachedBytes), startBytes, endBytes) - startBytes);
}
