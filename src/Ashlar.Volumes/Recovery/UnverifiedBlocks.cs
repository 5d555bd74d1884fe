using Ashlar.Blocks;

namespace Ashlar.Volumes;

/// <summary>
/// The blocks whose checksum was taken anew because a crash struck while they were being overwritten. What they hold is what a disk
/// without checksums would hold: old, new, or torn between sectors.
/// </summary>
sealed class UnverifiedBlocks(PoolEvents events)
{
    const int MaxListed = 1000;
    const int MaxReported = 20;

    readonly Lock gate = new();
    readonly List<UnverifiedBlock> listed = [];
    long count;

    public long Count => Interlocked.Read(ref count);

    /// <summary>The first thousand.</summary>
    public IReadOnlyList<UnverifiedBlock> List()
    {
        lock (gate) return [.. listed];
    }

    public void Add(VolumeDevice volume, long offsetBytes)
    {
        var number = Interlocked.Increment(ref count);
        volume.CountUnverified();
        var name = volume.Record.Name;
        lock (gate)
        {
            if (listed.Count < MaxListed) listed.Add(new UnverifiedBlock(name, offsetBytes) { VolumeId = volume.Record.Id });
        }

        if (number > MaxReported) return;
        events.Report(
            PoolEventKind.Unverified,
            PoolEventSeverity.Warning,
            $"volume {name}, bytes {offsetBytes} to {offsetBytes + MapLayout.BlockBytes - 1} were being overwritten when the pool went "
            + "down and hold what was found there, unverified"
            + (number == MaxReported ? "; more are counted and listed, not logged" : ""),
            name);
    }
}

/// <summary>A block that is not verified since a crash.</summary>
/// <param name="Volume">Name of the volume.</param>
/// <param name="OffsetBytes">Its first byte in the volume; it has 4,096.</param>
public sealed record UnverifiedBlock(string Volume, long OffsetBytes)
{
    /// <summary>Identity of the volume: another may have its name by now.</summary>
    public required Guid VolumeId { get; init; }
}
