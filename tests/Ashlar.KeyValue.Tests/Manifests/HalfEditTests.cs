using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>A disk that became full in the middle of an edit: it does not count, and nothing of it is left.</summary>
[Trait("disk", "any")]
public sealed class HalfEditTests
{
    [Fact]
    public void What_a_full_disk_took_of_an_edit_is_cut_off()
    {
        var inner = TestStore.AnyDisk();
        var disk = new FaultyFileSystem(inner);
        using (var store = KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk)))
        {
            store.Put("a", "1");
            store.Flush();
            store.Put("b", "1");
            var before = ManifestOf(inner);
            var rule = new FaultRule(FaultOperations.Write, FaultKind.NoSpaceHalfWay) { PathPattern = "*MANIFEST*", IsSticky = true };
            disk.Add(rule);
            Assert.Equal(StorageErrorKind.NoSpace, Assert.Throws<StorageException>(store.Flush).Kind);
            Assert.True(disk.CountFired(rule) > 0);
            Assert.Equal(before, ManifestOf(inner));
            disk.Heal();
            store.Put("c", "1");
            store.Flush();
            Assert.Equal("a=1 b=1 c=1", store.ReadAll());
        }

        using var reopened = KeyValueStore.Open(TestStore.Directory, TestStore.Small(inner));
        Assert.Equal("a=1 b=1 c=1", reopened.ReadAll());
        Assert.Empty(reopened.Verify().Problems);
    }

    static byte[] ManifestOf(IFileSystem disk) => StoreImage.Take(disk).Files["MANIFEST"];
}
