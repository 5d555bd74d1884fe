namespace Ashlar.TestKit;

/// <summary>Measures the garbage of code that should make none.</summary>
public static class AllocationMeter
{
    const int Attempts = 5;

    /// <summary>
    /// Bytes that the current thread allocates in <paramref name="rounds"/>, the least of several attempts: code that gets its
    /// final form, or a pool that fills, costs once; garbage of requests comes back every time.
    /// </summary>
    /// <param name="rounds">Many rounds of the code; it was warmed up before.</param>
    public static long LeastBytes(Action rounds)
    {
        var least = long.MaxValue;
        for (var attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            rounds();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
