using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Values;

namespace Ashlar.KeyValue.Versions;

/// <summary>
/// Reads several keys as of one moment. Values that lie in segments are asked for together, so that the disk has many reads to work on
/// at a time.
/// </summary>
static class MultiRead
{
    /// <summary>Reads the keys.</summary>
    /// <param name="state">The store's.</param>
    /// <param name="version">Holds all that is visible at the sequence; the caller has a reference to it.</param>
    /// <param name="sequence">The moment.</param>
    /// <param name="keys">The keys.</param>
    /// <returns>The value of each key, in their order; null where it is absent.</returns>
    public static byte[]?[] Run(StoreState state, StoreVersion version, ulong sequence, ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        var values = new byte[]?[keys.Length];
        var places = new (int Index, ValuePlace Place)[Math.Min(keys.Length, ValueLookAhead.MaxEntries)];
        var ahead = new ValueLookAhead(state.Values);
        for (var first = 0; first < keys.Length; first += places.Length)
        {
            using var read = state.Read(); // For each part anew: a long one would keep what others replace.
            var placed = 0;
            for (var i = first; i < Math.Min(keys.Length, first + places.Length); i++)
            {
                if (!version.TryGet(read.Slot, keys[i].Span, sequence, state.Clock, out var found)) continue;
                if (found.TryGetPlace(out var place) && state.Values.Cache.Find(read.Slot, place).IsNone) places[placed++] = (i, place);
                else values[i] = found.ToArray(state.Values);
            }

            if (placed > 1)
            {
                foreach (var (_, place) in places.AsSpan(0, placed)) ahead.Add(place);
                ahead.Send();
            }

            foreach (var (index, place) in places.AsSpan(0, placed))
            {
                var value = GC.AllocateUninitializedArray<byte>(place.LengthBytes);
                state.Values.ReadThrough(read.Slot, place, value);
                values[index] = value;
            }
        }

        return values;
    }
}
