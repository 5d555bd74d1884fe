using Ashlar.Storage;

namespace Ashlar.Blocks.Raid;

/// <summary>
/// Stripes that a device could not be given because the others cannot read enough of them. What it holds there is not what it should.
/// </summary>
sealed class SkippedStripes
{
    /// <summary>With more than so many it is no use to go on before the others are seen to.</summary>
    public const int Most = 4096;

    readonly Lock gate = new();
    HashSet<long>? stripes; // Not changed once it is here, so that whoever reads and writes takes no lock.
    string? reason;

    public int Count => Volatile.Read(ref stripes)?.Count ?? 0;

    /// <summary>The first of them; null where there are none.</summary>
    public long? First => Volatile.Read(ref stripes) is { Count: > 0 } some ? some.Min() : null;

    /// <summary>What is wrong, in one line; null where nothing is.</summary>
    public string? Problem => Count is > 0 and var count
        ? $"{(count == 1 ? "1 stripe" : $"{count} stripes")} cannot be calculated from the other devices: {Volatile.Read(ref reason)}"
        : null;

    public bool Contains(long stripe) => Volatile.Read(ref stripes)?.Contains(stripe) == true;

    public long[] ToArray() => [.. (Volatile.Read(ref stripes) ?? []).Order()];

    /// <summary>A stripe is left out. Its lock is held.</summary>
    public void Add(long stripe, Exception cause)
    {
        lock (gate)
        {
            Volatile.Write(ref reason, cause.Message);
            Volatile.Write(ref stripes, [.. stripes ?? [], stripe]);
        }
    }

    /// <summary>A stripe is there after all. Its lock is held.</summary>
    public void Remove(long stripe)
    {
        lock (gate)
        {
            Invariant.Require(stripes?.Contains(stripe) == true);
            var rest = stripes!.Where(each => each != stripe).ToHashSet();
            Volatile.Write(ref stripes, rest.Count > 0 ? rest : null);
        }
    }
}
