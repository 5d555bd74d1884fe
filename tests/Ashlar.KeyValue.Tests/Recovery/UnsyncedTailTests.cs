using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// A sync fails, and the kernel goes on showing what the disk does not have. What a later opening reads from there must be on the disk
/// before anything depends on it.
/// </summary>
public sealed class UnsyncedTailTests
{
    static KeyValueOptions Options(ForgetfulFileSystem disk) => TestStore.Small(disk) with { SeparatedValueBytes = 0 };

    // True if the value that was readable after recovery outlives a power cut.
    static bool Survives()
    {
        var disk = new ForgetfulFileSystem();
        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk)))
        {
            store.Put("a", "durable");
            disk.FailsSyncs = true;
            Assert.Throws<StorePoisonedException>(() => store.Put("b", "in doubt"));
            disk.FailsSyncs = false;
        }

        using (var store = KeyValueStore.Open(TestStore.Directory, Options(disk)))
            Assert.Equal("in doubt", store.Get("b"));
        disk.LosePower();
        using var last = KeyValueStore.Open(TestStore.Directory, Options(disk));
        Assert.Equal("durable", last.Get("a"));
        try
        {
            return last.Get("b") == "in doubt" && last.Verify().IsClean;
        }
        catch (Storage.CorruptDataException)
        {
            return false;
        }
    }

    [Fact]
    public void What_was_recovered_is_made_durable_anew_before_a_table_refers_to_it() => Assert.True(Survives());

    [Fact]
    public void A_planted_bug_that_trusts_the_tail_is_noticed() => Assert.False(PlantedBugs.SkipRewriteOfUnsyncedTail.Run(Survives));
}
