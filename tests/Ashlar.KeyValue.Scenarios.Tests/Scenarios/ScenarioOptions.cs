using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>How the store of a scenario is opened, and what is done with it: all of it follows from a seed, or is chosen.</summary>
sealed record ScenarioOptions(ulong Seed, Features Features, int OperationCount)
{
    public const string SaltedPrefix = "hot/";

    public const string Backups = "/data/backups";

    const int ShardCount = 3;

    const Features NotOfShards = Features.Keyspaces | Features.Transactions;

    public bool IsSharded => Has(Features.Shards);

    /// <summary>Features that a seed chooses: about every third, and of those that only go together both.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="operationCount">How many operations are chosen.</param>
    /// <param name="without">Features that are left out.</param>
    /// <param name="with">Features that are there in any case, in place of those that rule them out.</param>
    public static ScenarioOptions FromSeed(
        ulong seed, int operationCount, Features without = Features.None, Features with = Features.None)
    {
        var random = SeededRandom.For(seed, "features");
        var features = Features.None;
        foreach (var feature in Enum.GetValues<Features>())
        {
            var times = feature switch
            {
                Features.LongValues => 8,
                Features.Keyspaces or Features.Transactions => 2, // Shards, which most scenarios have, rule them out.
                _ => 3,
            };
            if (random.OneIn(times)) features |= feature;
        }

        if ((with & NotOfShards) != Features.None) features &= ~(Features.Shards | Features.SaltedKeys);
        features |= with;
        if (features.HasFlag(Features.SaltedKeys)) features |= Features.Shards;
        if (features.HasFlag(Features.Archive)) features |= Features.Backups;
        if (features.HasFlag(Features.Shards)) features &= ~NotOfShards;
        return new(seed, features & ~without, operationCount);
    }

    public bool Has(Features feature) => Features.HasFlag(feature);

    /// <summary>Where the store is: a restored or repaired one is another one.</summary>
    public static string DirectoryOf(int generation) => $"/data/store{generation}";

    public static string ArchiveOf(int generation) => $"/data/archive{generation}";

    /// <summary>Everything small, so that a short scenario passes through all that the engine does.</summary>
    public KeyValueOptions Store(IFileSystem disk, ulong entropy, int generation) => TestStore.Tiny(disk, entropy) with
    {
        RelaxedLossTime = TimeSpan.FromDays(1000),
        SpaceReserveBytes = Has(Features.FullDisk) ? 100 << 10 : 0,
        LogArchiveDirectory = Has(Features.Archive) ? ArchiveOf(generation) : null,
        CreateIfMissing = generation == 0,
    };

    /// <summary>As <see cref="Store"/>, for several engines. Keys that begin alike are in one of them.</summary>
    public ShardedKeyValueOptions Sharded(IFileSystem disk, ulong entropy, int generation, bool isNew) => new()
    {
        ShardCount = isNew ? ShardCount : null,
        HashedPrefixBytes = isNew ? 1 : null,
        SaltedPrefix = isNew ? SaltedPrefixBytes : default(ReadOnlyMemory<byte>?),
        OneByOne = true,
        Store = Store(disk, entropy, generation),
    };

    ReadOnlyMemory<byte>? SaltedPrefixBytes => Has(Features.SaltedKeys) ? TestStore.Bytes(SaltedPrefix) : ReadOnlyMemory<byte>.Empty;

    public override string ToString() => $"seed {Seed}, {Features}";
}
