namespace Ashlar.Volumes;

/// <summary>
/// How often the parts of a volume were read and written lately: requests by region, of which there are <see cref="RegionCount"/> at the
/// most however large the volume is. All counts are halved from time to time, so what was long ago fades away. A request that falls
/// together with a growing of the volume may be lost to them; they steer nothing.
/// </summary>
sealed class AccessCounts
{
    public const int RegionCount = 1024;

    /// <summary>Smallest region: 1 MiB.</summary>
    public const int LeastShift = 20;

    readonly Lock growing = new();
    Table? table; // None before the first request: most volumes of many are idle.

    public void CountRead(long offset, long length) => Count(offset, length, isWrite: false);

    public void CountWrite(long offset, long length) => Count(offset, length, isWrite: true);

    /// <summary>The counts by region, from the beginning of the volume; empty where nothing was asked for yet.</summary>
    public (long RegionBytes, long[] Reads, long[] Writes) Read()
    {
        var seen = Volatile.Read(ref table);
        return seen is null ? (1L << LeastShift, [], []) : (1L << seen.Shift, Copy(seen.Reads), Copy(seen.Writes));
    }

    public void Halve()
    {
        if (Volatile.Read(ref table) is not { } seen) return;
        foreach (var counts in (long[][])[seen.Reads, seen.Writes])
            for (var i = 0; i < counts.Length; i++) Interlocked.Add(ref counts[i], -((Interlocked.Read(ref counts[i]) + 1) / 2));
    }

    void Count(long offset, long length, bool isWrite)
    {
        if (length <= 0) return;
        var last = offset + length - 1;
        var seen = Volatile.Read(ref table);
        if (seen is null || last >> seen.Shift >= RegionCount) seen = Grow(last);
        var counts = isWrite ? seen.Writes : seen.Reads;
        for (var region = offset >> seen.Shift; region <= last >> seen.Shift; region++) Interlocked.Increment(ref counts[region]);
    }

    Table Grow(long last)
    {
        lock (growing)
        {
            var grown = table ?? new Table(LeastShift, new long[RegionCount], new long[RegionCount]);
            while (last >> grown.Shift >= RegionCount) grown = new(grown.Shift + 1, Fold(grown.Reads), Fold(grown.Writes));
            Volatile.Write(ref table, grown);
            return grown;
        }
    }

    static long[] Fold(long[] counts)
    {
        var folded = new long[RegionCount];
        for (var i = 0; i < counts.Length; i++) folded[i / 2] += Interlocked.Read(ref counts[i]);
        return folded;
    }

    static long[] Copy(long[] counts)
    {
        var copy = new long[counts.Length];
        for (var i = 0; i < counts.Length; i++) copy[i] = Interlocked.Read(ref counts[i]);
        return copy;
    }

    sealed record Table(int Shift, long[] Reads, long[] Writes);
}
