using System.Buffers;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Every option has bounds, which are checked before anything is created, wherever options are taken.</summary>
public sealed class OptionBoundsTests
{
    readonly SimulatedFileSystem untouched = TestStore.NewDisk();

    public static TheoryData<string, Func<ShardedKeyValueOptions, ShardedKeyValueOptions>> OutOfBounds => new()
    {
        { nameof(ShardedKeyValueOptions.ShardCount), options => options with { ShardCount = 0 } },
        { nameof(ShardedKeyValueOptions.ShardCount), options => options with { ShardCount = 257 } },
        { nameof(ShardedKeyValueOptions.HashedPrefixBytes), options => options with { HashedPrefixBytes = -1 } },
        { nameof(ShardedKeyValueOptions.HashedPrefixBytes), options => options with { HashedPrefixBytes = 1025 } },
        { nameof(ShardedKeyValueOptions.SaltedPrefix), options => options with { SaltedPrefix = new byte[1025] } },
        { nameof(ShardedKeyValueOptions.Store), options => options with { Store = null! } },
        {
            nameof(KeyValueOptions.MemTableBytes),
            options => options with { Store = options.Store with { MemTableBytes = 1023 } }
        },
    };

    [Theory, MemberData(nameof(OutOfBounds))]
    public void A_value_out_of_bounds_is_refused_by_name_before_anything_is_created(
        string name, Func<ShardedKeyValueOptions, ShardedKeyValueOptions> change)
    {
        var bad = change(ShardedTestStore.Small(untouched));
        Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(() => ShardedKeyValueStore.Open("/refused", bad)).ParamName);
        Assert.Empty(untouched.List("/"));
    }

    [Fact]
    public void Backups_check_the_options_of_the_engine()
    {
        var bad = TestStore.Small(untouched) with { MemTableBytes = 1023 };
        var refused = Assert.ThrowsAny<ArgumentException>(() => new ShardedKeyValueBackups("/refused", bad));
        Assert.Equal(nameof(KeyValueOptions.MemTableBytes), refused.ParamName);
        Assert.Empty(untouched.List("/"));
    }

    [Fact]
    public void A_part_of_the_smallest_and_of_the_largest_budgets_is_a_budget_that_a_shard_takes()
    {
        const long Tebibyte = 1L << 40;
        KeyValueOptions[] extremes =
        [
            new()
            {
                MemTableBytes = Tebibyte, TableBytes = Tebibyte, LogSegmentBytes = 2L << 30, MaxOpenFiles = int.MaxValue,
                SpaceReserveBytes = Tebibyte, RelaxedLossBytes = long.MaxValue, BlockCacheBytes = 1 << 20,
            },
            new()
            {
                MemTableBytes = 1024, TableBytes = 1024, LogSegmentBytes = 1024, MaxOpenFiles = 1, BlockCacheBytes = 0,
                SpaceReserveBytes = 0, RelaxedLossBytes = 0,
            },
        ];
        foreach (var options in extremes)
        {
            using var store = ShardedKeyValueStore.Open("/sharded", new() { Store = options with { FileSystem = TestStore.NewDisk() } });
            store.Put("a", "1");
            Assert.Equal("1", store.Get("a"));
        }
    }

    [Fact]
    public async Task What_is_missing_from_a_call_is_named()
    {
        using var store = ShardedTestStore.Open(untouched);
        using var snapshot = store.CreateSnapshot();
        IBufferWriter<byte> none = null!;
        Action[] calls =
        [
            () => store.Write(null!), () => store.WritePerShard(null!), () => store.BackUp(null!),
            () => store.TryGet("a"u8, none), () => snapshot.TryGet("a"u8, none), () => _ = new ShardedKeyValueBackups(null!),
        ];
        foreach (var call in calls) Assert.NotNull(Assert.Throws<ArgumentNullException>(call).ParamName);
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await store.WriteAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>(() => store.WritePerShardAsync(null!));
        store.Put("a", "1");
        Assert.Equal("1", store.Get("a"));
    }

    [Fact]
    public async Task A_durability_that_does_not_exist_is_refused_and_not_taken_for_less()
    {
        const Durability Unknown = (Durability)17;
        using var store = ShardedKeyValueStore.Open(
            TestStore.Directory, ShardedTestStore.Small(untouched) with { SaltedPrefix = "hot/"u8.ToArray() });
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("a", "1", Unknown));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("hot/a", "1", Unknown));
        var batch = new WriteBatch();
        batch.Put("hot/a"u8, "1"u8);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.WriteAsync(batch, Unknown));
        Assert.Equal("", store.ReadAll());
    }
}
