namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    long? halvedAt;

    /// <summary>
    /// Looks at all volumes and their maps as they are now: what completed before the call is in it. Not to be kept for long.
    /// </summary>
    public async Task<MapView> OpenMapViewAsync()
    {
        ThrowIfClosed();
        if (Failure.First is null) await CommitAsync(); // A pool that takes no writes shows what it has.
        return new MapView(Store.CreateSnapshot(), Name, Space.ChunkCount);
    }

    /// <summary>What of a volume was read and written lately; null when there is none of that name.</summary>
    public AccessReport? FindAccesses(string name)
    {
        if (Catalogue.Find(name) is not { } volume) return null;
        var (regionBytes, reads, writes) = volume.Accesses.Read();
        return new(regionBytes, reads, writes);
    }

    // By the timer, whose interval is short beside the half-life.
    void AgeAccesses()
    {
        var time = Parts.Options.TimeProvider;
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(halvedAt ??= now, now) < AccessReport.HalfLife) return;
        halvedAt = now;
        foreach (var volume in Catalogue.Volumes) volume.Accesses.Halve();
    }
}
