using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A store after random writes, flushes and merges: small, and with everything that a store can consist of.</summary>
static class RandomHistory
{
    /// <summary>Everything small, so that few writes pass through all that the engine does.</summary>
    public static KeyValueOptions Options(IFileSystem disk, ulong seed) => TestStore.Tiny(disk, seed);

    /// <summary>Writes it; the store is left open if it is wanted so, for a power cut.</summary>
    /// <returns>What it holds.</returns>
    public static SortedDictionary<string, string> Write(KeyValueStore store, ulong seed, int steps = 80)
    {
        var random = new SeededRandom(seed);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (var step = 0; step < steps; step++)
        {
            if (random.OneIn(20)) store.Flush();
            if (random.OneIn(25)) store.Compact();
            var key = $"key{random.Next(12):d2}";
            var durability = random.OneIn(3) ? Durability.Sync : Durability.Relaxed;
            if (random.OneIn(5))
            {
                store.Delete(TestStore.Bytes(key), durability);
                model.Remove(key);
                continue;
            }

            model[key] = $"{step}".PadLeft(random.OneIn(7) ? 700 : random.Next(10, 110), '.');
            store.Put(key, model[key], durability);
        }

        return model;
    }
}
