using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Statistics;

/// <summary>What was found in several shards as one report.</summary>
static class ShardVerification
{
    /// <summary>Adds them up.</summary>
    /// <param name="shards">The report of each.</param>
    /// <param name="others">Problems that none of them has by itself.</param>
    public static VerificationReport Sum(VerificationReport[] shards, IEnumerable<CorruptDataException> others) => new()
    {
        Tables = shards.Sum(shard => shard.Tables),
        LogSegments = shards.Sum(shard => shard.LogSegments),
        Entries = shards.Sum(shard => shard.Entries),
        SeparatedValues = shards.Sum(shard => shard.SeparatedValues),
        ValueSegments = shards.Sum(shard => shard.ValueSegments),
        Problems = [.. shards.SelectMany(shard => shard.Problems), .. others],
    };
}
