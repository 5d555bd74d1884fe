using Ashlar.Storage;

namespace Ashlar.KeyValue.Statistics;

/// <summary>
/// The statistics of a store, taken once for each collection: a meter asks for every instrument by itself, and to answer each anew would
/// cost fifty looks at the whole store.
/// </summary>
/// <remarks>
/// .NET does not say when a collection begins. An instrument that asks again does: one set of figures answers each instrument once, and
/// is kept no longer than <see cref="KeptFor"/>, for collectors that ask for other instruments.
/// </remarks>
sealed class SharedStatistics(Func<KeyValueStatistics> take, TimeProvider clock)
{
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    readonly HashSet<string> answered = new(StringComparer.Ordinal);
    KeyValueStatistics? taken;
    long takenAt;

    /// <summary>What to answer for an instrument.</summary>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public KeyValueStatistics For(string instrument)
    {
        using (gate.Hold())
        {
            if (taken is { } known && clock.GetElapsedTime(takenAt) < KeptFor && answered.Add(instrument)) return known;
            answered.Clear();
            answered.Add(instrument);
            taken = null; // Unless it can be taken anew.
            taken = take();
            takenAt = clock.GetTimestamp();
            return taken;
        }
    }
}
