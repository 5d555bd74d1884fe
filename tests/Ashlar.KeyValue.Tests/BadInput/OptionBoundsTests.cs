using System.Buffers;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>Every option has bounds, which are checked before anything is created, wherever options are taken.</summary>
public sealed class OptionBoundsTests
{
    const long Mebibyte = 1 << 20;
    const long Tebibyte = 1L << 40;

    readonly SimulatedFileSystem untouched = TestStore.NewDisk();

    KeyValueOptions Sound => TestStore.Small(untouched);

    public static TheoryData<string, Func<KeyValueOptions, KeyValueOptions>> OutOfBounds => new()
    {
        { nameof(KeyValueOptions.MaxKeyBytes), options => options with { MaxKeyBytes = 0 } },
        { nameof(KeyValueOptions.MaxKeyBytes), options => options with { MaxKeyBytes = 65_536 } },
        { nameof(KeyValueOptions.MaxValueBytes), options => options with { MaxValueBytes = -1 } },
        { nameof(KeyValueOptions.MaxValueBytes), options => options with { MaxValueBytes = (64 << 20) + 1 } },
        { nameof(KeyValueOptions.MemTableBytes), options => options with { MemTableBytes = 1023 } },
        { nameof(KeyValueOptions.MemTableBytes), options => options with { MemTableBytes = Tebibyte + 1 } },
        { nameof(KeyValueOptions.MemTableBytes), options => options with { MemTableBytes = long.MaxValue } },
        { nameof(KeyValueOptions.SeparatedValueBytes), options => options with { SeparatedValueBytes = -1 } },
        { nameof(KeyValueOptions.SpaceAmplification), options => options with { SpaceAmplification = 1 } },
        { nameof(KeyValueOptions.SpaceAmplification), options => options with { SpaceAmplification = double.NaN } },
        { nameof(KeyValueOptions.SpaceAmplification), options => options with { SpaceAmplification = double.PositiveInfinity } },
        { nameof(KeyValueOptions.LogSegmentBytes), options => options with { LogSegmentBytes = 1023 } },
        { nameof(KeyValueOptions.LogSegmentBytes), options => options with { LogSegmentBytes = (2048 * Mebibyte) + 1 } },
        { nameof(KeyValueOptions.BlockCacheBytes), options => options with { BlockCacheBytes = -1 } },
        { nameof(KeyValueOptions.BlockCacheBytes), options => options with { BlockCacheBytes = Tebibyte + 1 } },
        { nameof(KeyValueOptions.MaxOpenFiles), options => options with { MaxOpenFiles = 0 } },
        { nameof(KeyValueOptions.TableBytes), options => options with { TableBytes = 1023 } },
        { nameof(KeyValueOptions.TableBytes), options => options with { TableBytes = Tebibyte + 1 } },
        { nameof(KeyValueOptions.BackgroundThreads), options => options with { BackgroundThreads = 0 } },
        { nameof(KeyValueOptions.BackgroundThreads), options => options with { BackgroundThreads = 3 } },
        { nameof(KeyValueOptions.SpaceReserveBytes), options => options with { SpaceReserveBytes = -1 } },
        { nameof(KeyValueOptions.SpaceReserveBytes), options => options with { SpaceReserveBytes = Tebibyte + 1 } },
        { nameof(KeyValueOptions.RelaxedLossTime), options => options with { RelaxedLossTime = TimeSpan.Zero } },
        { nameof(KeyValueOptions.RelaxedLossBytes), options => options with { RelaxedLossBytes = -1 } },
        { nameof(KeyValueOptions.LogArchiveDirectory), options => options with { LogArchiveDirectory = "" } },
        { nameof(KeyValueOptions.LogArchiveInterval), options => options with { LogArchiveInterval = TimeSpan.FromMilliseconds(1) } },
        { nameof(KeyValueOptions.TimeProvider), options => options with { TimeProvider = null! } },
        { nameof(KeyValueOptions.Entropy), options => options with { Entropy = null! } },
    };

    [Theory, MemberData(nameof(OutOfBounds))]
    public void A_value_out_of_bounds_is_refused_by_name_before_anything_is_created(
        string name, Func<KeyValueOptions, KeyValueOptions> change)
    {
        var bad = change(Sound);
        Action[] calls =
        [
            () => KeyValueStore.Open("/refused", bad),
            bad.Validate,
            () => _ = new KeyValueBackups("/refused", bad),
            () => _ = new LogArchive("/refused", bad),
            () => KeyValueRepair.Run("/refused", "/target", bad),
            () => KeyValueInspector.Inspect("/refused", TextWriter.Null, bad),
        ];
        foreach (var call in calls) Assert.Equal(name, Assert.ThrowsAny<ArgumentException>(call).ParamName);
        Assert.Empty(untouched.List("/"));
    }

    [Fact]
    public void The_largest_and_the_smallest_values_work()
    {
        KeyValueOptions[] extremes =
        [
            Sound with
            {
                MemTableBytes = Tebibyte, TableBytes = Tebibyte, LogSegmentBytes = 2048 * Mebibyte, MaxOpenFiles = int.MaxValue,
                SpaceReserveBytes = Tebibyte, RelaxedLossBytes = long.MaxValue, RelaxedLossTime = TimeSpan.MaxValue,
                SpaceAmplification = 1_000_000, SeparatedValueBytes = int.MaxValue, LogArchiveInterval = TimeSpan.MaxValue,
            },
            Sound with
            {
                MemTableBytes = 1024, TableBytes = 1024, LogSegmentBytes = 1024, MaxOpenFiles = 1, BlockCacheBytes = 0,
                SpaceReserveBytes = 0, RelaxedLossBytes = 0, RelaxedLossTime = new TimeSpan(1), SpaceAmplification = 1.01,
                SeparatedValueBytes = 0, BackgroundThreads = 1, TimeProvider = TimeProvider.System,
                LogArchiveInterval = TimeSpan.FromMilliseconds(2), LogArchiveDirectory = "/archive",
            },
        ];
        foreach (var options in extremes)
        {
            var disk = TestStore.NewDisk();
            using (var store = KeyValueStore.Open(TestStore.Directory, options with { FileSystem = disk }))
            {
                for (var i = 0; i < 100; i++) store.Put($"{i:d2}", "value", i % 2 == 0 ? Durability.Sync : Durability.Relaxed);
                store.Compact();
                store.GetStatistics();
            }

            using var reopened = KeyValueStore.Open(TestStore.Directory, options with { FileSystem = disk });
            Assert.Equal("value", reopened.Get("99"));
        }
    }

    [Fact]
    public async Task What_is_missing_from_a_call_is_named()
    {
        using var store = KeyValueStore.Open(TestStore.Directory, Sound);
        using var snapshot = store.CreateSnapshot();
        IBufferWriter<byte> none = null!;
        Action[] calls =
        [
            () => store.Write(null!),
            () => store.TryGet("a"u8, none), () => store.TryGetCached("a"u8, none),
            () => snapshot.TryGet("a"u8, none),
            () => store.BackUp(null!), () => _ = new KeyValueBackups(null!),
            () => KeyValueInspector.Inspect("/store/MANIFEST", null!, Sound), () => KeyValueRepair.Run(null!, "/target", Sound),
        ];
        foreach (var call in calls) Assert.NotNull(Assert.Throws<ArgumentNullException>(call).ParamName);
        await Assert.ThrowsAsync<ArgumentNullException>(async () => await store.WriteAsync(null!));
        store.Put("a", "1");
        Assert.Equal("1", store.Get("a"));
    }

    [Fact]
    public async Task A_durability_that_does_not_exist_is_refused_and_not_taken_for_less()
    {
        const Durability Unknown = (Durability)17;
        using var store = KeyValueStore.Open(TestStore.Directory, Sound);
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Put("a", "1", Unknown));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Delete("a"u8, Unknown));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await store.PutAsync("a"u8, "1"u8, Unknown));
        Assert.Equal("", store.ReadAll());
    }
}
