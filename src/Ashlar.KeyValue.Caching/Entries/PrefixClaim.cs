using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Caching.Entries;

/// <summary>The right of one cache to a prefix of a store.</summary>
/// <remarks>
/// Invariant: at each prefix of a store one cache is at work. Two would lock the same keys by locks of their own, undo each other's
/// renewals, and neither would know what the other adds to the bound.
/// </remarks>
sealed class PrefixClaim : IDisposable
{
    // Goes with the store.
    static readonly ConditionalWeakTable<KeyValueStore, Prefixes> OfStores = [];

    readonly Prefixes taken;
    readonly string prefix;

    PrefixClaim(Prefixes taken, string prefix) => (this.taken, this.prefix) = (taken, prefix);

    /// <summary>Takes a prefix until the claim is disposed.</summary>
    /// <exception cref="InvalidOperationException">Another cache has it.</exception>
    public static PrefixClaim Take(KeyValueStore store, string prefix)
    {
        var taken = OfStores.GetValue(store, static _ => new Prefixes());
        if (taken.TryAdd(prefix)) return new(taken, prefix);
        throw new InvalidOperationException(
            $"The store has a cache with the key prefix '{prefix}' already. Use that one, dispose of it first, or take another prefix.");
    }

    public void Dispose() => taken.Remove(prefix);

    sealed class Prefixes
    {
        readonly Lock gate = new();
        readonly HashSet<string> all = new(StringComparer.Ordinal);

        public bool TryAdd(string prefix)
        {
            lock (gate) return all.Add(prefix);
        }

        public void Remove(string prefix)
        {
            lock (gate)
            {
                var wasTaken = all.Remove(prefix);
                Invariant.Require(wasTaken);
            }
        }
    }
}
